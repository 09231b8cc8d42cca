"""The services' configuration files. What is not said here is Debian's default."""
from labkit.util import write_text

# nova-compute says it is alive every REPORT seconds; after DOWN seconds without, Nova calls it down. Nova's own
# 10 and 60 only make each test longer.
REPORT, DOWN = 2, 12
# How long Nova waits for a reply: its own number. Less fails on a busy machine of two cores.
RPC_TIMEOUT = 60
# How many live migrations the first host may send at once; the others one, so that a second one is queued there.
MANY, ONE = 12, 1


def ini(sections):
    lines = []
    for section, options in sections.items():
        lines.append(f"[{section}]")
        lines += [f"{name} = {value}" for name, value in options.items()]
        lines.append("")
    return "\n".join(lines)


class Config:
    def __init__(self, layout, database, broker, urls, ports, password):
        self.layout = layout
        self.database = database
        self.broker = broker
        self.urls = urls
        self.ports = ports
        self.password = password        # of the services' user

    # --- parts that several files have --------------------------------------------------------------------

    def _auth(self, **more):
        return {"auth_type": "password", "auth_url": self.urls["identity"], "username": "service",
                "password": self.password, "project_name": "service", "user_domain_name": "Default",
                "project_domain_name": "Default", "region_name": "RegionOne", **more}

    def _tokens(self, service_type):
        # service_type: without it an application credential's access rules are refused
        return self._auth(www_authenticate_uri=self.urls["identity"], service_type=service_type)

    def _common(self, **more):
        return {"debug": False, "use_stderr": True, "state_path": self.layout.path("state"), **more}

    def _locks(self):
        return {"lock_path": self.layout.path("locks")}

    def _database(self, schema):
        return {"connection": self.database.url(schema), "max_retries": 20, "retry_interval": 1}

    def _policy(self, name):
        """A policy file that is read again when it changes: tests put rules there."""
        path = self.layout.etc(f"{name}-policy.yaml")
        write_text(path, "# rules that differ from the defaults\n")
        return {"policy_file": path, "policy_dirs": self.layout.path("etc", f"{name}-policy.d")}

    # --- one file each --------------------------------------------------------------------------------------

    def keystone(self):
        keys = {"key_repository": self.layout.path("keystone-keys")}
        return {"DEFAULT": {"use_stderr": True}, "database": self._database("keystone"),
                "token": {"provider": "fernet"}, "fernet_tokens": keys, "fernet_receipts": keys,
                "credential": {"key_repository": self.layout.path("credential-keys")},
                "identity": {"password_hash_rounds": 4}, "oslo_policy": self._policy("keystone"),
                # Without a cache one look at a token is 250 queries, a second of this machine.
                "cache": {"enabled": True, "backend": "dogpile.cache.memory"}}

    def placement(self):
        return {"DEFAULT": self._common(), "api": {"auth_strategy": "keystone"},
                "placement_database": self._database("placement"), "keystone_authtoken": self._tokens("placement"),
                "oslo_policy": self._policy("placement")}

    def glance(self):
        return {"DEFAULT": {"use_stderr": True, "bind_host": "127.0.0.1", "bind_port": self.ports["image"], "workers": 0,
                            "node_staging_uri": "file://" + self.layout.path("glance-staging"),
                            "enabled_import_methods": "[]"},
                "database": self._database("glance"), "keystone_authtoken": self._tokens("image"),
                "paste_deploy": {"flavor": "keystone",
                                 "config_file": "/usr/share/glance-common/glance-api-paste.ini"},
                "glance_store": {"stores": "file", "default_store": "file",
                                 "filesystem_store_datadir": self.layout.path("glance")},
                "oslo_concurrency": self._locks(), "oslo_policy": self._policy("glance")}

    def neutron(self):
        return {"DEFAULT": self._common(core_plugin="ml2", service_plugins="", auth_strategy="keystone",
                                        transport_url=self.broker.url, dhcp_agent_notification=False, host="control",
                                        api_paste_config="/usr/share/neutron-common/api-paste.ini"),
                "database": self._database("neutron"), "keystone_authtoken": self._tokens("network"),
                "nova": self._auth(), "ml2": {"mechanism_drivers": "lab", "type_drivers": "local",
                                              "tenant_network_types": "local", "extension_drivers": ""},
                "quotas": {"quota_port": -1}, "oslo_concurrency": self._locks(),
                "oslo_policy": self._policy("neutron")}

    def _nova(self):
        return {"DEFAULT": self._common(transport_url=self.broker.url, my_ip="127.0.0.1", report_interval=REPORT,
                                        service_down_time=DOWN, rpc_response_timeout=RPC_TIMEOUT),
                "oslo_messaging_rabbit": {"rpc_conn_pool_size": 20, "rabbit_retry_interval": 1, "rabbit_retry_backoff": 1},
                "oslo_messaging_notifications": {"driver": "noop"},
                "keystone_authtoken": self._tokens("compute"), "glance": {"api_servers": self.urls["image"]},
                "neutron": self._auth(), "placement": self._auth(), "oslo_concurrency": self._locks()}

    def nova(self):
        """API, conductor, scheduler."""
        conf = self._nova()
        conf["DEFAULT"].update(host="control", osapi_compute_listen="127.0.0.1",
                               osapi_compute_listen_port=self.ports["compute"], osapi_compute_workers=1,
                               enabled_apis="osapi_compute")
        conf["wsgi"] = {"api_paste_config": "/usr/share/nova-common/api-paste.ini"}
        conf["database"] = self._database("nova")
        conf["api_database"] = self._database("nova_api")
        conf["quota"] = {"instances": -1, "cores": -1, "ram": -1}
        conf["conductor"] = conf["scheduler"] = {"workers": 1}
        conf["filter_scheduler"] = {"enabled_filters": "ComputeFilter", "track_instance_changes": False}
        conf["oslo_policy"] = self._policy("nova")
        return conf

    def cell0(self):
        """For nova-manage db sync only."""
        return {**self.nova(), "database": self._database("nova_cell0")}

    def compute(self, host, first):
        """nova-compute, inside a host: it has no database."""
        conf = self._nova()
        conf["DEFAULT"].update(host=host, compute_driver="libvirt.LibvirtDriver", state_path="/var/lib/nova",
                               instances_path="/var/lib/nova/instances", cpu_allocation_ratio=500,
                               ram_allocation_ratio=500, disk_allocation_ratio=500, reserved_host_memory_mb=0,
                               reserved_host_disk_mb=0, force_config_drive=False,
                               shutdown_timeout=3,      # the lab's guest does not listen to ACPI
                               # In this look at the host nova-compute asks libvirt about PCI devices, outside of
                               # its thread pool: with several migrations in progress it then does nothing else
                               # for a minute. It is made when nova-compute starts, and when a server comes or goes.
                               update_resources_interval=3600, heal_instance_info_cache_interval=0,
                               bandwidth_poll_interval=0,
                               instance_usage_audit=False, vif_plugging_timeout=0, vif_plugging_is_fatal=False,
                               max_concurrent_live_migrations=MANY if first else ONE)
        conf["oslo_concurrency"] = {"lock_path": "/var/lib/nova"}
        conf["compute"] = {"live_migration_wait_for_vif_plug": False, "resource_provider_association_refresh": 0}
        conf["image_cache"] = {"manager_interval": -1}
        conf["vnc"] = {"enabled": False}
        conf["workarounds"] = {"skip_cpu_compare_on_dest": True}
        conf["libvirt"] = {"virt_type": "qemu", "connection_uri": "qemu:///system", "images_type": "raw",
                           "live_migration_uri": "qemu+tcp://%s/system", "live_migration_permit_post_copy": True,
                           "live_migration_completion_timeout": 0, "mem_stats_period_seconds": 0}
        return conf

    def write(self, hosts):
        files = {"keystone": self.keystone(), "placement": self.placement(), "glance": self.glance(),
                 "neutron": self.neutron(), "nova": self.nova(), "cell0": self.cell0()}
        for number, host in enumerate(hosts):
            files[f"nova-{host}"] = self.compute(host, number == 0)
        for name, sections in files.items():
            write_text(self.layout.etc(f"{name}.conf"), ini(sections), 0o600)
