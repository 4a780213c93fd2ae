"""Takes work and answers nobody, as a consumer of a queue does."""

import time

while True:
    print("at work", flush=True)
    time.sleep(5)
