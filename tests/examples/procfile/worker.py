print("not run yet")
