<?php

header("Content-Type: text/plain");
echo "Answered by PHP at " . $_SERVER["REQUEST_URI"] . "\n";
