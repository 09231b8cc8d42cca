"""The OpenStack on top of the lab: control plane, two nova-computes, and wedges of real live migrations."""
