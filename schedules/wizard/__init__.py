"""The registration form: four steps over a draft row, each an ordinary POST."""
