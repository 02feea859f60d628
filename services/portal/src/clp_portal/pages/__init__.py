"""Handlers of pages: read a request, call the services, choose a template."""
