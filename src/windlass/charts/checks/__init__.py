"""What is wrong with a set of Kubernetes objects: rules, profiles, findings."""
