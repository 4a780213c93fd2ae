"""The look: pages, forms, templates, and the assets they use. No product rules."""
