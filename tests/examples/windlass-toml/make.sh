mkdir -p result
printf "<!doctype html><title>Own</title><h1>%s</h1>" "$GREETING" > result/index.html
