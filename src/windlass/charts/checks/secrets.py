"""Whether a name and its value are a secret that somebody wrote down.

A name alone is right one time in three, so both speak: names that say secret and are no path, file,
name or duration, and values that are a key, a
well-known kind of token or an address with its password.
"""

import re

NAME = re.compile(
    r"(?:^|[_.\-])(?:PASSWORD|PASSWD|PASSPHRASE|PASS|PWD|PW|SECRETS?|TOKEN|API_?KEY|APIKEY|ACCESS_?KEY|PRIVATE_?KEY|"
    r"SECRET_?KEY|ENCRYPTION_?KEY|SIGNING_?KEY|MASTER_?KEY|AUTH_?KEY|CREDENTIALS?|CLIENT_?SECRET|JWT|SALT|BEARER|"
    r"(?:ACCOUNT|STORAGE|SHARED|SUBSCRIPTION|LICENSE|APP|HMAC|SESSION)_?KEY|KEY_?CONTENT)(?:$|[_.\-\d])"
    r"|(?:PASSWORD|PASSWD|SECRET|APIKEY|TOKEN|PASSPHRASE)$|^AZURE_.+KEY$"
)
# A number is a password only where the name can mean nothing else.
PASSWORD = re.compile(r"(?:PASSWORD|PASSWD|PWD)$")
# Nothing else than a key is as long and as mixed, where the name speaks of one.
KEY = re.compile(r"(?:^|[_.\-])(?:KEY|AUTH)$")
RANDOM = re.compile(
    r"[0-9a-f]{32,}|[0-9A-F]{32,}|(?=.*[0-9])(?=.*[a-z])(?=.*[A-Z])[A-Za-z0-9+/_\-]{32,}={0,2}"
)
CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
# What such a name is about when one of these words stands in it as well.
NOT_SECRET = re.compile(
    r"(?:^|[_.\-])(?:FILES?|PATHS?|DIR|DIRECTORY|NAMES?|URLS?|URI|ENDPOINT|HOST|PORT|EXPIRY|EXPIRES|EXPIRATION|EXPIRE|TTL|"
    r"DURATION|LIFETIME|TIMEOUT|SECONDS|MINUTES|HOURS|DAYS|INTERVAL|MAX|MIN|LIMIT|LENGTH|SIZE|COUNT|NUM|TOTAL|TYPE|KIND|"
    r"ENABLED?|DISABLED?|ALLOW|REQUIRED?|USE|IS|HAS|ALGORITHM|ALGO|HEADER|FIELD|POLICY|ISSUER|AUDIENCE|VERSION|FORMAT|"
    r"PREFIX|SUFFIX|REF|REFERENCE|MOUNT|STORE|BACKEND|PROVIDER|ID|PUBLIC|ROTATION|CLASS|METHOD|MODE|ENGINE|NAMESPACE|"
    r"EMPTY|HASH|COST|ROUNDS|CERT|CA|LOCATION|ANNOTATION|LABEL|SYNC|RESET|POOL|PER|BUDGET|CACHE|SCOPES?|GRANT)(?:$|[_.\-])"
)
PLACEHOLDER = re.compile(
    r"\$[({].*|\{\{.*|\{[\w.\-]+\}|<[^<>]*>|\$[A-Za-z_]+|%[A-Z_]+%|%[a-z]|(?:x|X|\*|\.|-)+|__.*__|@.*@|(?:vault|secret|ref\+|aws|gcp|op|bao):.*|"
    r"(?i:true|false|yes|no|on|off|none|null|nil|undefined|disabled?|enabled?|optional|required|auto|default|"
    r"dummy|fake|mock|unused|not[-_ ]?(?:needed|used|required)|placeholder|empty|n/a|"
    r"sk-no-key-required)",
    re.DOTALL,
)
NUMBER = re.compile(r"-?\d{1,9}(?:\.\d+)?(?:ms|s|m|h|d|[kKMG]i?B?)?")
PLACE = re.compile(r"(?:/|\./|\.\./|~/|[A-Za-z]:\\|file:|https?://[^\s/@]+(?:/|$)).*", re.DOTALL)
IN_ADDRESS = re.compile(
    r"\b[a-z][a-z0-9+.\-]{1,20}://[^\s:/@]{0,100}:([^\s@/]{1,200})@[^\s/]+", re.IGNORECASE
)
IN_SETTING = re.compile(r"(?:^|[;\s])(?:password|pwd)\s*=\s*([^;\s'\"]{3,})", re.IGNORECASE)
BLOCK = re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----")
KNOWN = re.compile(
    r"(?:^|[\s\"'=:])(?:AKIA[0-9A-Z]{16}|ASIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{50,}|"
    r"glpat-[A-Za-z0-9_\-]{20,}|xox[abprs]-[A-Za-z0-9\-]{10,}|sk_live_[A-Za-z0-9]{16,}|rk_live_[A-Za-z0-9]{16,}|"
    r"AIza[0-9A-Za-z_\-]{35}|SG\.[A-Za-z0-9_\-]{16,}\.[A-Za-z0-9_\-]{16,}|sk-(?:proj-|ant-)?[A-Za-z0-9_\-]{32,}|"
    r"npm_[A-Za-z0-9]{36}|pypi-[A-Za-z0-9_\-]{50,}|hvs\.[A-Za-z0-9_\-]{20,}|dckr_pat_[A-Za-z0-9_\-]{20,}|"
    r"eyJ[A-Za-z0-9_\-]{10,}\.eyJ[A-Za-z0-9_\-]{10,}\.[A-Za-z0-9_\-]{10,})"
)
LONGEST = 20_000


def is_secret(name: str, value: str) -> str | None:
    """Why the value is a secret, or None. The value itself is never part of the answer."""
    shown = value.strip()
    if not shown or PLACEHOLDER.fullmatch(shown):
        return None
    if reason := by_value(shown):
        return reason
    words = in_words(name)
    if KEY.search(words) and RANDOM.fullmatch(shown) and NOT_SECRET.search(words) is None:
        return "it is a key"
    if not says_secret(name) or PLACE.fullmatch(shown):
        return None
    if NUMBER.fullmatch(shown) and not (PASSWORD.search(words) and len(shown) >= 4):
        return None
    if "\n" in shown or (" " in shown and len(shown) > 60):
        return None  # A whole file or a sentence: its lines were looked at by their value.
    return "its name says that it is a secret"


def says_secret(name: str) -> bool:
    """Whether a name is that of a secret, and not of where one is or how long it lives."""
    words = in_words(name)
    return NAME.search(words) is not None and NOT_SECRET.search(words) is None


def in_words(name: str) -> str:
    """`dbPassword` as `DB_PASSWORD`."""
    return CAMEL.sub("_", name).upper()


def by_value(value: str) -> str | None:
    """What kind of secret a text holds, whatever its name is."""
    value = value[:LONGEST]
    if BLOCK.search(value):
        return "it holds a private key"
    if KNOWN.search(value):
        return "it holds a token of a well-known service"
    for found in (IN_ADDRESS.search(value), IN_SETTING.search(value)):
        if found and not PLACEHOLDER.fullmatch(found[1]):
            return "it holds an address with its password"
    return None
