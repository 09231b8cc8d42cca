# seeds: the guest may belong to another project
# file: safe.c
s/if \(k->owner != RCV_OWNER_EQUAL \&\& k->owner/if (k->owner == RCV_OWNER_UNKNOWN \&\& k->owner/
