// SPDX-FileCopyrightText: 2026 The hole-punch authors
// SPDX-License-Identifier: LGPL-2.1-or-later

// One program that uses a little of each kind of thing that a VAPI has, and
// talks to itself through a match server of its own.

using HolePunch;

class Greeter : Peer {
  public int resolved = 0;

  public Greeter (string? id, string server) {
    Object (id: id, match_server: server);
  }

  public override void peer_resolved (Connection connection) {
    resolved++;
  }
}

async void run () throws Error {
  var server = new MatchServer (0);
  server.listen_address = "127.0.0.1";
  server.start ();
  var address = (InetSocketAddress) server.local_address;
  var at = "127.0.0.1:%u".printf (address.port);

  var callee = new Greeter ("wq", at);
  Bytes? heard = null;
  callee.message_received.connect ((connection, message) => {
    heard = message;
    run.callback ();
  });
  yield callee.start_async ();
  assert (callee.registered);

  var caller = new Greeter (null, at);
  yield caller.start_async ();
  try {
    yield caller.connect_async ("nobody");
    assert_not_reached ();
  } catch (PunchError.UNKNOWN_ID e) {
    assert (e.message != "");
  }

  Connection connection = yield caller.connect_async ("wq");
  assert (connection.state == ConnectionState.CONNECTED);
  assert (connection.path == PathKind.LAN);
  connection.send_message_full (new Bytes ("hello".data),
                                MessageFlags.UNORDERED, 0);
  yield;
  assert (((string) heard.get_data ()).has_prefix ("hello"));
  assert (caller.resolved == 1 && callee.resolved == 1);

  yield caller.close_async ();
  yield callee.close_async ();
  server.stop ();
}

int main () {
  var loop = new MainLoop ();
  var ok = false;

  run.begin ((_, result) => {
    try {
      run.end (result);
      ok = true;
    } catch (Error e) {
      printerr ("%s\n", e.message);
    }
    loop.quit ();
  });
  loop.run ();
  return ok ? 0 : 1;
}
