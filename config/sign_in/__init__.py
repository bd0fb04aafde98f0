"""How people sign in: django-allauth, as Teiji wants it. Nobody signs up by themselves."""
