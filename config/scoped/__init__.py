"""The two bases of every page (ScopedAdmin) and every endpoint (ScopedViewSet)."""
