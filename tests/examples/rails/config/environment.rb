require_relative "application"

Application.initialize!
