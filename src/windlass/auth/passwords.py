"""Passwords: argon2id with the numbers of OWASP, off the event loop, a few at a time.

However many people sign in at once, no more threads and memory than this are used, and every other
request goes on. Nothing of the database is held meanwhile: callers give it back first.
"""

import asyncio
import base64
import os
import unicodedata
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# OWASP Password Storage Cheat Sheet: m = 19 MiB, t = 2, p = 1.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_THREADS = ThreadPoolExecutor(min(4, os.cpu_count() or 1), thread_name_prefix="password")


def hash_now(password: str) -> str:
    """For where nobody waits; requests take `hashed`."""
    return _HASHER.hash(_plain(password))


def _of_no_password() -> str:
    """A hash that nobody knows a password of, made without making one."""
    salt, digest = (base64.b64encode(os.urandom(size)).decode().rstrip("=") for size in (16, 32))
    cost = f"m={_HASHER.memory_cost},t={_HASHER.time_cost},p={_HASHER.parallelism}"
    return f"$argon2id$v=19${cost}${salt}${digest}"


# Verified when there is no password, so that this takes as long.
_DUMMY = _of_no_password()


async def hashed(password: str) -> str:
    """What the database keeps of a password."""
    return await asyncio.get_running_loop().run_in_executor(_THREADS, hash_now, password)


async def matches(known: str | None, password: str) -> bool:
    """Whether it is the password. None matches nothing, and takes as long to say so."""
    loop = asyncio.get_running_loop()
    is_right = await loop.run_in_executor(_THREADS, _verify, known or _DUMMY, password)
    return is_right and known is not None


def is_outdated(known: str) -> bool:
    """Whether it was made with other parameters than today's."""
    return _HASHER.check_needs_rehash(known)


def _verify(known: str, password: str) -> bool:
    try:
        return _HASHER.verify(known, _plain(password))
    except (VerificationError, InvalidHashError):
        return False


def _plain(password: str) -> str:
    """The same letters from every keyboard (NIST SP 800-63B 5.1.1.2)."""
    return unicodedata.normalize("NFKC", password)
