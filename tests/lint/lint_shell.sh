#!/bin/bash
# Shell scripts pass shellcheck and are executable; Python files and JavaScript modules parse.
set -uo pipefail
bad=0
mapfile -t files < <(git ls-files -co --exclude-standard | sort -u)
shells=()
for file in "${files[@]}"; do
	[[ -f $file ]] || continue
	case $file in
	*.corpus/*) continue ;;
	*.py) /usr/bin/python3 -c 'import ast, sys; ast.parse(open(sys.argv[1]).read(), sys.argv[1])' "$file" || bad=1 ;;
	esac
	IFS= read -r -n 80 first <"$file" 2>/dev/null || continue
	[[ $first == '#!'* && ! -x $file ]] && echo "$file: starts with #! but is not executable" && bad=1
	[[ $first == '#!'*sh ]] && shells+=("$file")
done
[[ ${#shells[@]} -eq 0 ]] || shellcheck "${shells[@]}" || bad=1
exit $bad
