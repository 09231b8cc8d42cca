# seeds: a permit is minted under a policy that never acts
# file: decide.c
# function: decide_with
# refutes: mint_needs_policy
s/if \(binding == NULL \|\| allowed != 1\) \{/if (binding == NULL) {/
