// SPDX-FileCopyrightText: 2026 The hole-punch authors
// SPDX-License-Identifier: LGPL-2.1-or-later

// The quick start, in Vala:
//
//     quick-start server [PORT]
//     quick-start callee ID SERVER
//     quick-start caller ID SERVER [COUNT]
//
// The server introduces peers to each other. The callee registers an id and
// answers every message. The caller asks for that id, and sends it 10 KiB COUNT
// times (5; 0: until it is interrupted). SERVER is HOST or HOST:PORT.

using HolePunch;

class QuickStart {
  private bool is_interrupted = false;

  // Signals are dispatched by the main loop, which all roles need anyway.
  private async void interrupted () {
    Unix.signal_add (ProcessSignal.INT, () => {
      is_interrupted = true;
      interrupted.callback ();
      return Source.REMOVE;
    });
    yield;
  }

  public async void serve (uint port) throws Error {
    var server = new MatchServer (port);
    server.peer_registered.connect ((peer) => {
      print ("server: %s is at %s\n", peer.id, peer.address.to_string ());
    });
    server.introduced.connect ((caller, callee) => {
      print ("server: introduced %s to %s\n", caller.address.to_string (),
             callee.id);
    });
    server.start ();
    print ("server: listening on port %u\n",
           ((InetSocketAddress) server.local_address).port);
    yield interrupted ();
    server.stop ();
  }

  public async void answer (string id, string match_server) throws Error {
    var peer = new Peer (id, match_server);
    peer.peer_resolved.connect ((caller) => {
      print ("callee: found %s after %.1f ms\n",
             caller.remote_address.to_string (), caller.setup_time / 1000.0);
    });
    peer.message_received.connect ((caller, message) => {
      print ("callee: got %d bytes\n", message.length);
      try {
        caller.send_message (new Bytes ("callee got you".data));
      } catch (Error e) {
        printerr ("quick-start: %s\n", e.message);
      }
    });
    yield peer.start_async ();
    print ("callee: registered as %s, seen at %s\n", peer.id,
           peer.public_address.to_string ());
    yield interrupted ();
    yield peer.close_async ();
  }

  public async void call (string id, string match_server, uint count)
      throws Error {
    var peer = new Peer (null, match_server);
    peer.peer_resolved.connect ((callee) => {
      print ("caller: found %s at %s after %.1f ms\n", id,
             callee.remote_address.to_string (), callee.setup_time / 1000.0);
    });
    // What is waited for fails when the peer is closed.
    interrupted.begin (() => peer.close_async.begin ());
    try {
      var connection = yield peer.connect_async (id);
      for (uint i = 0; count == 0 || i < count; i++)
        yield call_once (connection);
    } catch (Error e) {
      if (!is_interrupted)
        throw e;
    }
    yield peer.close_async ();
  }

  private async void call_once (Connection connection) throws Error {
    var eights = new uint8[10 * 1024];
    Memory.set (eights, 8, eights.length);
    var sent_at = get_monotonic_time ();
    connection.send_message (new Bytes.take ((owned) eights));
    var answer = yield next_message (connection);
    print ("caller: sent %d bytes, got \"%.*s\" back in %.1f ms\n", 10 * 1024,
           answer.length, (string) answer.get_data (),
           (get_monotonic_time () - sent_at) / 1000.0);
  }

  private async Bytes next_message (Connection connection) throws Error {
    Bytes? message = null;
    var received = connection.message_received.connect ((bytes) => {
      message = bytes;
      next_message.callback ();
    });
    var closed = connection.closed.connect (() => {
      next_message.callback ();
    });
    yield;
    connection.disconnect (received);
    connection.disconnect (closed);
    if (message == null)
      throw new IOError.CLOSED ("the callee has gone");
    return message;
  }
}

async int run (string[] args) {
  var quick_start = new QuickStart ();
  try {
    if (args.length >= 2 && args[1] == "server") {
      yield quick_start.serve (args.length > 2 ? int.parse (args[2])
                                               : DEFAULT_PORT);
    } else if (args.length == 4 && args[1] == "callee") {
      yield quick_start.answer (args[2], args[3]);
    } else if (args.length >= 4 && args[1] == "caller") {
      yield quick_start.call (args[2], args[3],
                              args.length > 4 ? int.parse (args[4]) : 5);
    } else {
      printerr ("usage: quick-start server [PORT]\n" +
                "       quick-start callee ID SERVER\n" +
                "       quick-start caller ID SERVER [COUNT]\n");
      return 2;
    }
  } catch (Error e) {
    printerr ("quick-start: %s\n", e.message);
    return 1;
  }
  return 0;
}

int main (string[] args) {
  Intl.setlocale ();
  var loop = new MainLoop ();
  var status = 0;
  run.begin (args, (object, result) => {
    status = run.end (result);
    loop.quit ();
  });
  loop.run ();
  return status;
}
