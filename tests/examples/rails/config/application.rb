require "rails"
require "action_controller/railtie"

class Application < Rails::Application
  config.load_defaults 8.0
  routes.append { root to: ->(_) { [200, { "content-type" => "text/plain" }, ["Answered by Rails\n"]] } }
end
