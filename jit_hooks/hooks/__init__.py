"""Git's side of the shell: what git hands a hook becomes a request, and the scripts that git runs."""
