run ->(environment) { [200, { "content-type" => "text/plain" }, ["Answered by Rack\n"]] }
