"""The pages: server-rendered templates with htmx, over the same service and catalog as the API."""
