"""The wedges. Each function makes one for real; its docstring is what `wedge --list` prints.

Scope "domain": disturbs nothing but its own guest, many of them fit on one pair of hosts.
Scope "daemon": stops, kills or cuts off a host, so it disturbs every guest there.
"""
import time

from .util import LabError


class Scenario:
    def __init__(self, function, scope, lock, hosts, settles):
        self.function = function
        self.name = function.__name__.replace("_", "-")
        self.scope = scope
        self.lock = lock
        self.hosts = hosts
        self.settles = settles      # changes by itself when libvirt's keepalive fires
        self.about = function.__doc__.strip().splitlines()[0]


ALL = {}


def scenario(scope="domain", lock=True, hosts=2, settles=False):
    def register(function):
        made = Scenario(function, scope, lock, hosts, settles)
        ALL[made.name] = made
        return function
    return register


# --- a: the migration goes on ---------------------------------------------------------------------------

@scenario()
def a_nonconverging(case):
    """memory is dirtied faster than it is sent: the migration never ends"""
    case.boot()
    case.migrate()


# --- b: the migration failed, the guest is on the source ------------------------------------------------

@scenario()
def b_aborted(case):
    """aborted in the memory pass (virsh domjobabort)"""
    case.boot()
    case.migrate()
    case.src.virsh("domjobabort", case.domain.uuid)
    case.wait_manager_end()
    case.wait_idle(case.src)
    case.wait_absent(case.dst)


@scenario()
def b_aborted_switchover(case):
    """destination's QEMU dies at the switchover: the source resumes"""
    case.boot()
    case.migrate()
    with case.at_switchover():
        case.kill_qemu(case.dst)
    case.wait_manager_end()
    case.wait_idle(case.src)
    case.wait_absent(case.dst)


@scenario()
def b_failed_prepare(case):
    """destination refuses in Prepare: another domain there has the guest's name"""
    case.boot()
    other = (f"<domain type='qemu'><name>{case.domain.name}</name><memory unit='MiB'>1</memory>"
             "<os><type arch='x86_64'>hvm</type></os></domain>")
    case.dst.virsh("define", "/proc/self/fd/0", stdin=other)
    case.start_migration("--persistent", "--undefinesource")
    case.wait_manager_end()
    case.dst.virsh("undefine", case.domain.name)
    if not case.domain.manager_message():
        raise LabError("the migration was not refused")
    case.wait_idle(case.src)
    case.wait_absent(case.dst)


# --- c: libvirtd of one host ----------------------------------------------------------------------------

@scenario("daemon")
def c_src_libvirtd_killed(case):
    """source's libvirtd killed in the memory pass, not started again"""
    case.boot()
    case.migrate()
    case.src.kill_libvirtd()
    case.wait_absent(case.dst)


@scenario("daemon", settles=True)
def c_src_libvirtd_hung(case):
    """source's libvirtd stopped (SIGSTOP) in the memory pass"""
    case.boot()
    case.migrate()
    case.src.pause_libvirtd()


@scenario("daemon")
def c_src_libvirtd_restarted(case):
    """source's libvirtd killed in the memory pass and started again"""
    case.boot()
    case.migrate()
    case.src.restart_libvirtd()
    case.wait_idle(case.src)
    case.wait_absent(case.dst)


@scenario("daemon")
def c_dst_libvirtd_killed(case):
    """destination's libvirtd killed in the memory pass, not started again"""
    case.boot()
    case.migrate()
    case.dst.kill_libvirtd()
    case.wait_idle(case.src)


@scenario("daemon", settles=True)
def c_dst_libvirtd_hung(case):
    """destination's libvirtd stopped (SIGSTOP) in the memory pass"""
    case.boot()
    case.migrate()
    case.dst.pause_libvirtd()


@scenario("daemon")
def c_dst_libvirtd_restarted(case):
    """destination's libvirtd killed in the memory pass and started again"""
    case.boot()
    case.migrate()
    case.dst.restart_libvirtd()
    case.wait_idle(case.src)
    case.wait_absent(case.dst)


# --- d: QEMU of one host --------------------------------------------------------------------------------

@scenario()
def d_dst_qemu_killed(case):
    """destination's QEMU killed in the memory pass"""
    case.boot()
    case.migrate()
    case.kill_qemu(case.dst)
    case.wait_idle(case.src)
    case.wait_absent(case.dst)


@scenario()
def d_src_qemu_killed(case):
    """source's QEMU killed in the memory pass: nobody has the guest"""
    case.boot()
    case.migrate()
    case.kill_qemu(case.src)
    case.wait_state(case.src, 5)
    case.wait_absent(case.dst)


@scenario()
def d_dst_qemu_hung(case):
    """destination's QEMU stopped (SIGSTOP) in the memory pass: the job stays for ever"""
    case.boot()
    case.migrate()
    case.stop_qemu(case.dst)


@scenario()
def d_src_qemu_hung(case):
    """source's QEMU stopped (SIGSTOP) in the memory pass: job statistics block"""
    case.boot()
    case.migrate()
    case.stop_qemu(case.src)


@scenario()
def d_src_qemu_hung_nojob(case):
    """source's QEMU stopped (SIGSTOP) after an aborted migration: no job, a mute monitor"""
    b_aborted(case)
    case.stop_qemu(case.src)


# --- e: the network between the hosts -------------------------------------------------------------------

@scenario("daemon", settles=True)
def e_net_cut(case):
    """nothing passes between the hosts, neither memory nor libvirt's control connection"""
    case.boot()
    case.migrate()
    case.cut()


@scenario()
def e_net_cut_data(case):
    """only the stream of memory is cut: the job stays for ever"""
    case.boot()
    case.migrate()
    case.cut_data()


# --- f: the migration ended well, nobody told Nova ------------------------------------------------------

@scenario()
def f_completed_manager_dead(case):
    """manager killed in the memory pass; the migration then ends well by itself"""
    case.boot()
    case.migrate()
    case.domain.kill_manager()
    case.release()
    case.wait_absent(case.src)
    case.wait_idle(case.dst)


@scenario()
def f_completed_src_defined(case):
    """ended well, but the source keeps its definition (5/4)"""
    case.boot()
    case.migrate(undefine=False)
    case.domain.kill_manager()
    case.release()
    case.wait_state(case.src, 5, 4)
    case.wait_idle(case.dst)


@scenario()
def f_completed_dst_transient(case):
    """ended well, but the destination has no definition on disk"""
    case.boot()
    case.migrate(persistent=False)
    case.domain.kill_manager()
    case.release()
    case.wait_absent(case.src)
    case.wait_idle(case.dst)


# --- g: post-copy ---------------------------------------------------------------------------------------

@scenario()
def g_postcopy(case):
    """healthy post-copy, slow"""
    case.boot(dirty=1, hot=1)
    case.to_postcopy()


@scenario("daemon", settles=True)
def g_postcopy_cut(case):
    """nothing passes between the hosts in post-copy"""
    case.boot(dirty=1, hot=1)
    case.to_postcopy()
    case.cut()


@scenario()
def g_postcopy_paused(case):
    """the stream breaks in post-copy: paused on both sides (3/13, 1/11)"""
    case.boot(dirty=1, hot=1)
    case.to_postcopy()
    with case.domain.qmp(case.src) as qmp:
        qmp.call("migrate-pause")
    case.wait_state(case.src, 3, 13)
    case.wait_state(case.dst, 1, 11)


@scenario()
def g_postcopy_dst_qemu_killed(case):
    """destination's QEMU killed in post-copy: the guest is lost"""
    case.boot(dirty=1, hot=1)
    case.to_postcopy()
    case.kill_qemu(case.dst)
    case.wait_state(case.src, 3, 13)
    case.wait_state(case.dst, 5, 3)


# --- h: both run ----------------------------------------------------------------------------------------

def start_by_hand(case):
    """Define and start the same guest on the destination, as a person in a hurry does."""
    case.domain.define(case.dst)
    case.dst.virsh("start", case.domain.uuid, timeout=60)


@scenario(lock=False)
def h_split_brain(case):
    """started by hand on the destination too, disk without a lock"""
    b_aborted(case)
    start_by_hand(case)


@scenario()
def h_split_brain_locked(case):
    """started by hand on the destination too: the image lock refuses it (5/6)"""
    case.boot()
    case.domain.define(case.dst)
    if case.dst.virsh("start", case.domain.uuid, timeout=60, check=False).returncode == 0:
        raise LabError("the image lock did not refuse the second start")


def lose_finish_reply(case):
    """The destination has resumed the guest; its word of that never reaches the source."""
    case.boot()
    case.migrate()
    with case.at_switchover():
        case.lose_replies()
    case.wait_state(case.dst, 1, 2)
    case.wait_manager_end(case.keepalive_s + 20)


@scenario("daemon", lock=False)
def h_split_brain_lost_reply(case):
    """libvirt's own split brain: the reply to Finish is lost, the source resumes, disk without a lock"""
    lose_finish_reply(case)
    case.wait_state(case.src, 1, 6, 0)


# --- i: the switchover ----------------------------------------------------------------------------------

@scenario("daemon")
def i_lost_reply_locked(case):
    """the reply to Finish is lost; the image lock keeps the source from resuming"""
    lose_finish_reply(case)
    case.wait_state(case.src, 3, 2, 0)


@scenario("daemon", settles=True)
def i_both_paused_switchover(case):
    """source's libvirtd stopped (SIGSTOP) at the switchover: the guest runs nowhere"""
    case.boot()
    case.migrate()
    case.hang_at_switchover()


@scenario("daemon")
def i_finish_src_restarted_dst_dead(case):
    """source's libvirtd restarted, Finish never arrived: source paused without a job, destination gone"""
    case.boot()
    case.migrate()
    with case.at_switchover():
        case.lose_requests()
    case.wait_phase(case.src, "perform3_done")
    case.src.kill_libvirtd()
    case.wait_absent(case.dst, case.keepalive_s + 20)
    case.src.remove_cuts()
    case.src.restart_libvirtd()
    case.wait_state(case.src, 3, 2, 0)


@scenario("daemon")
def i_finish_src_restarted_dst_resumes(case):
    """source's libvirtd restarted during Finish: source paused without a job, destination runs"""
    case.boot()
    case.migrate()
    with case.at_finish():
        case.stop_qemu(case.dst)
        case.dst.wake_libvirtd()
        case.wait_finish_begun()
        case.src.kill_libvirtd()
        case.wake_qemu(case.dst)
    case.wait_idle(case.dst)
    case.src.restart_libvirtd()
    case.wait_state(case.src, 3, 2, 0)


@scenario()
def i_finish_dst_qemu_hung(case):
    """destination's QEMU stopped (SIGSTOP) at the switchover: paused on both sides, the job stays"""
    case.boot(dirty=0)
    case.migrate()
    # Little is left to send, and all before it has been read: the rest fits into the socket's buffer,
    # or the source's QEMU would block in its write and be mute too.
    with case.at_switchover(downtime_ms=1, prime=False):
        time.sleep(0.3)
        case.stop_qemu(case.dst)
    case.wait_state(case.src, 3, 2, 2)


# --- j: a host cannot be asked --------------------------------------------------------------------------

@scenario("daemon")
def j_dst_unreachable(case):
    """destination's management link is down"""
    case.boot()
    case.migrate()
    case.dst.link("mgmt", "down")


@scenario("daemon")
def j_dst_blackhole(case):
    """destination's management network drops connection attempts"""
    case.boot()
    case.migrate()
    case.dst.refuse("DROP")


@scenario("daemon")
def j_dst_refuses(case):
    """destination's management network refuses connections"""
    case.boot()
    case.migrate()
    case.dst.refuse("REJECT", "--reject-with", "tcp-reset")


@scenario("daemon")
def j_src_unreachable(case):
    """source's management link is down"""
    case.boot()
    case.migrate()
    case.src.link("mgmt", "down")


@scenario("daemon")
def j_both_unreachable(case):
    """both hosts' management links are down"""
    case.boot()
    case.migrate()
    case.src.link("mgmt", "down")
    case.dst.link("mgmt", "down")


@scenario("daemon")
def j_mute(case):
    """destination's libvirt port accepts and never speaks"""
    case.boot()
    case.migrate()
    case.dst.mute()


# --- k: wrong addresses ---------------------------------------------------------------------------------

@scenario()
def k_same_host(case):
    """both names lead to the source (use the uris of this line)"""
    case.boot()
    case.extra["uris"] = {case.src.name: case.src.uri, case.dst.name: case.src.uri}


@scenario()
def k_swapped_names(case):
    """each name leads to the other host (use the uris of this line)"""
    case.boot()
    case.extra["uris"] = {case.src.name: case.dst.uri, case.dst.name: case.src.uri}


# --- l: elsewhere ---------------------------------------------------------------------------------------

@scenario(hosts=3)
def l_third_host(case):
    """migrated on to a third host, neither source nor destination"""
    third = case.third
    f_completed_manager_dead(case)
    first, second = case.src, case.dst
    case.src, case.dst = second, third
    case.migrate()
    case.finish_manual()
    case.wait_absent(second)
    case.wait_idle(third)
    case.src, case.dst = first, second
    case.extra["runs_on"] = third.name


# --- m: nothing migrates --------------------------------------------------------------------------------

@scenario()
def m_running(case):
    """healthy guest on the source"""
    case.boot()


@scenario()
def m_paused_user(case):
    """paused by a user (virsh suspend) on the source"""
    case.boot()
    case.src.virsh("suspend", case.domain.uuid)


@scenario()
def m_off(case):
    """defined on the source, never started there (5/0)"""
    case.domain.define(case.src)


@scenario()
def m_off_shutdown(case):
    """the guest switched itself off on the source (5/1)"""
    case.boot()
    case.type_in(case.src, "off")
    case.wait_state(case.src, 5)


@scenario("daemon")
def m_incoming_remnant(case):
    """source runs without a job, destination keeps an incoming QEMU: cut, and a destination without keepalive"""
    case.boot()
    case.dst.mark_conf_changed()
    case.dst.write_daemon_conf((-1, 0))
    case.dst.restart_libvirtd()
    case.migrate()
    case.cut()
    case.wait_idle(case.src, case.keepalive_s + 20)


# --- n: leftovers ---------------------------------------------------------------------------------------

@scenario(lock=False)
def n_clean_dest_crashed(case):
    """runs on the source; the destination has a crashed leftover from before (5/3)"""
    case.domain.define(case.dst)
    case.domain.start(case.dst)
    case.kill_qemu(case.dst)
    case.wait_state(case.dst, 5, 3)
    case.boot()


@scenario("daemon", lock=False)
def n_past_split_brain(case):
    """a lost reply made a split brain, then the destination's copy was killed (1/6, 5/3)"""
    lose_finish_reply(case)
    case.wait_state(case.src, 1, 6, 0)
    case.kill_qemu(case.dst)
    case.wait_state(case.dst, 5, 3)


def get(name):
    if name not in ALL:
        raise LabError(f"no scenario {name}: see 'lab wedge --list'")
    return ALL[name]
