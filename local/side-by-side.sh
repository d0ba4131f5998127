#!/bin/sh
# sh local/side-by-side.sh COMMAND...: runs all commands, two at a time. The output of each is in one piece, below its command.
# Fails if one of them failed.
printf '%s\n' "$@" |
  xargs -P 2 -I '{}' sh -c 'output=$({} 2>&1); status=$?; printf "%s\n" "$ {}" ${output:+"$output"}; exit "$status"'
