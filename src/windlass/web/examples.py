"""What the examples in the reference of the API say."""

from windlass.core.openapi_examples import Words

_SHA256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

# What people would write there. A field with a pattern that is not here has `examples` of its own.
WORDS = Words(
    by_name={
        "email": "ada@example.com",
        "identifier": "ada@example.com",
        "username": "ada",
        "password": "Correct-horse-4",
        "current": "Correct-horse-4",
        "new": "Battery-staple-5",
        "name": "Shop",
        "slug": "shop",
        "key": "API_URL",
        "value": "https://api.example.com",
        "code": "123456",
        "branch": "main",
        "repositoryBranch": "main",
        "repositoryUrl": "https://git.example.com/shop.git",
        "commitSha": "0123456789abcdef0123456789abcdef01234567",
        "sha256": _SHA256,
        "hashes": [_SHA256],
        "path": "index.html",
        "paths": ["index.html", "node_modules/x.js"],
        "url": "https://shop.example.com",
        "language": "en",
        "invitation": "inv_019ab0c0000070008000000000000000",
    },
    prefixes={
        "project": "proj",
        "deployment": "depl",
        "team": "team",
        "cluster": "cls",
        "user": "user",
        "owner": "user",
        "member": "user",
        "source": "src",
        "token": "tok",
        "env": "env",
        "variable": "env",
        "invitation": "inv",
        "session": "sess",
        "passkey": "pkey",
        "account": "acct",
        "entry": "evt",
        "delivery": "dlv",
    },
)
