"""The lab: real libvirt hosts made of namespaces on one machine."""
