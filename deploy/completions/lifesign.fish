complete --keep-order --exclusive --command lifesign --arguments "(LIFESIGN_COMPLETE=fish lifesign -- (commandline --current-process --tokenize --cut-at-cursor) (commandline --current-token))"
