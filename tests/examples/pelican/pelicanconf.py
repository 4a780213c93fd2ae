AUTHOR = "Somebody"
SITENAME = "Written for Pelican"
PATH = "content"
TIMEZONE = "UTC"
DEFAULT_LANG = "en"
FEED_ALL_ATOM = None
