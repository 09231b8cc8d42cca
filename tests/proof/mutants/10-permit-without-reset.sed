# seeds: a permit is minted for a verdict that is not RESET
# file: decide.c
# function: decide_with
# refutes: mint_needs_safe
s/^  if \(safe != 1\) \{/  if (binding != NULL \&\& allowed == 1) {\n    mint(permit, \&e->nova_last, binding, owner);\n  }\n  if (safe != 1) {/
