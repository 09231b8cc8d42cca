"""look.py URI UUID: what libvirt says about one domain, read-only, as JSON lines.

Any libvirt call can block for ever, so this is a program of its own that the caller may kill. Each
line is {"step": NAME, ...} and is written when that step has an answer; a missing line is a block.
Uses libvirt's C library through ctypes, since numbers (not translated words) are wanted.
"""
import ctypes
import json
import sys

NO_DOMAIN = 42


class TypedParameter(ctypes.Structure):
    class Value(ctypes.Union):
        _fields_ = [("i", ctypes.c_int), ("ul", ctypes.c_ulonglong), ("s", ctypes.c_char_p)]
    _fields_ = [("field", ctypes.c_char * 80), ("type", ctypes.c_int), ("value", Value)]


def load():
    lib = ctypes.CDLL("libvirt.so.0")
    for name in ("virConnectOpenReadOnly", "virDomainLookupByUUIDString"):
        getattr(lib, name).restype = ctypes.c_void_p
    for name in ("virConnectGetHostname", "virGetLastErrorMessage", "virDomainGetName"):
        getattr(lib, name).restype = ctypes.c_char_p
    return lib


def say(step, **facts):
    print(json.dumps({"step": step, **facts}), flush=True)


def error(lib):
    return {"error": lib.virGetLastErrorCode(), "domain": lib.virGetLastErrorDomain(),
            "text": (lib.virGetLastErrorMessage() or b"").decode(errors="replace")}


def look(lib, uri, uuid):
    conn = lib.virConnectOpenReadOnly(uri.encode())
    if not conn:
        return say("open", **error(lib))
    conn = ctypes.c_void_p(conn)
    say("open", hostname=(lib.virConnectGetHostname(conn) or b"").decode())
    if not uuid:
        return None
    dom = lib.virDomainLookupByUUIDString(conn, uuid.encode())
    if not dom:
        return say("lookup", found=False, **error(lib))
    dom = ctypes.c_void_p(dom)
    state, reason = ctypes.c_int(-1), ctypes.c_int(-1)
    if lib.virDomainGetState(dom, ctypes.byref(state), ctypes.byref(reason), 0) < 0:
        return say("lookup", found=True, **error(lib))
    say("lookup", found=True, name=(lib.virDomainGetName(dom) or b"").decode(), state=state.value,
        reason=reason.value, persistent=lib.virDomainIsPersistent(dom), active=lib.virDomainIsActive(dom))
    kind, count = ctypes.c_int(-1), ctypes.c_int(0)
    params = ctypes.POINTER(TypedParameter)()
    if lib.virDomainGetJobStats(dom, ctypes.byref(kind), ctypes.byref(params), ctypes.byref(count), 0) < 0:
        return say("job", **error(lib))
    fields = {params[i].field.decode(): params[i].value.i for i in range(count.value)}
    return say("job", type=kind.value, operation=fields.get("operation"))


def main():
    lib = load()
    callback = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)(lambda *_: None)
    lib.virInitialize()
    lib.virSetErrorFunc(None, callback)
    look(lib, sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None)
    say("end")


if __name__ == "__main__":
    main()
