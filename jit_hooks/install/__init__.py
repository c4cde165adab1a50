"""Put the hooks and the merge driver where git runs them, take them away, and prove that they are live."""
