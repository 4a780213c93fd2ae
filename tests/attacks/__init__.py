"""Attacks that must come to nothing, each tried for real, and in which test.

| attack | where |
|---|---|
| two sign-ups at once with one address | coming_in, against a real server |
| finding out who has an account | coming_in (text, status, work done), auth/routes |
| a link of a mail or an invitation used again, or too late | coming_in, teams/invitations |
| a planted session, a session after sign-out | sessions, auth/routes |
| a retired key after the overlap, alg: none, another algorithm | sessions, e2e/keys |
| changed cursors | api/lists, audit/paging |
| changed cookies | sessions, auth/known_devices |
| X-Forwarded-For of one's own | requests, core/client_address |
| a form or request of another site | requests, every route that changes something, auth/routes |
| a redirect to another site | requests, every way to sign in, pages/auth |
| fields that nobody may set | people, every route that takes a body, api/input |
| a role that one gives oneself, the last owner | people, teams/routes |
| headers and log lines of one's own | requests, auth/mail |
| null bytes, half letters, broken UTF-8 | requests, every route that takes a body, api/input |
| 10 MB of JSON, 10,000 levels of it | requests, every route that takes a body, api/input |
| names that look alike | people |
| SQL in filters and sorts | requests, every parameter of every route, api/input |
| keeping somebody out by guessing | auth/known_devices, auth/factors |

Where it says "every", the list comes from the application itself: a new route is attacked
from its first day.
"""
