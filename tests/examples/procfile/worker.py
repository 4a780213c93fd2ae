import time

print("at work", flush=True)
while True:
    time.sleep(60)
