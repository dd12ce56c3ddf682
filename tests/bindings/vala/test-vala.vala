// SPDX-FileCopyrightText: 2026 The hole-punch authors
// SPDX-License-Identifier: LGPL-2.1-or-later

// What is Vala's own: yield, error domains in catch, virtual signals, an
// interface implemented, nullable values.

using HolePunch;

// Answers a turn of the main loop later
class Slow : Object, Registry {
  public HashTable<string, Registration> holders
      = new HashTable<string, Registration> (str_hash, str_equal);

  public void claim (RegistryRequest request) {
    if (!holders.contains (request.id))
      holders[request.id] = new Registration (request.id,
                                              request.fingerprint);
    answer (request);
  }

  public void lookup (RegistryRequest request) {
    answer (request);
  }

  public void release (RegistryRequest request) {
    holders.remove (request.id);
    answer (request);
  }

  private void answer (RegistryRequest request) {
    Idle.add (() => {
      request.return_registration (holders[request.id]);
      return Source.REMOVE;
    });
  }
}

class Server : MatchServer {
  public string log = "";

  public Server () {
    Object (port: 0, listen_address: "127.0.0.1", registry: new Slow ());
  }

  public string at () {
    return "127.0.0.1:%u".printf (port);
  }

  public override void peer_registered (Registration peer) {
    log += " +" + peer.id;
  }

  public override void peer_expired (Registration peer) {
    log += " -" + peer.id;
  }

  public override void introduced (Registration caller,
                                   Registration callee) {
    log += " %s→%s".printf (caller.id ?? "somebody", callee.id);
  }
}

class Node : Peer {
  public string log = "";

  public Node (string? id, Server server) {
    Object (id: id, match_server: server.at ());
  }

  public override void message_received (Connection connection,
                                         Bytes message) {
    log += " %d bytes".printf (message.length);
    if (id == null)
      return;
    try {
      connection.send_message (new Bytes ("callee got you".data));
    } catch (Error e) {
      assert_not_reached ();
    }
  }

  public override void peer_resolved (Connection connection) {
    assert (connection.state == ConnectionState.CONNECTED);
    log += " resolved";
  }

  public override void connection_closed (Connection connection) {
    log += " closed";
  }

  public override void stream_opened (Connection connection,
                                      HolePunch.Stream stream) {
    log += " stream";
    echo.begin (stream);
  }

  private async void echo (HolePunch.Stream stream) {
    try {
      yield stream.output_stream.splice_async (
          stream.input_stream, OutputStreamSpliceFlags.CLOSE_TARGET);
    } catch (Error e) {
      assert_not_reached ();
    }
  }
}

Bytes ten_kib () {
  var eights = new uint8[10 * 1024];
  Memory.set (eights, 8, eights.length);
  return new Bytes.take ((owned) eights);
}

// Until all that is due has been done, and a little longer
async void settle () {
  Timeout.add (100, () => {
    settle.callback ();
    return Source.REMOVE;
  });
  yield;
}

async void test_messages () throws Error {
  var server = new Server ();
  server.start ();
  var callee = new Node ("wq", server);
  var caller = new Node (null, server);
  assert (!callee.registered);
  assert (callee.public_address == null);
  yield callee.start_async ();
  assert (callee.registered);
  assert (((InetSocketAddress) callee.public_address).port
          == ((InetSocketAddress) callee.local_address).port);

  assert (yield caller.send_message_async ("wq", ten_kib ()));
  Connection connection = yield caller.connect_async ("wq");
  assert (connection.remote_id == "wq");
  assert (connection.fingerprint == callee.identity.fingerprint);
  assert (connection.path == PathKind.LAN);
  assert (connection.statistics.messages_sent == 1);
  assert (callee.nat.mapping == NatMapping.NONE);
  NetworkReport report = yield caller.check_network_async ();
  assert (report.prospects == Prospects.ALMOST_ALL);
  assert (report.public_addresses[0] == "127.0.0.1");
  var match = (ServerReport) report.match_servers.get_item (0);
  assert (match.reachable && match.round_trip_time > 0);
  assert (caller.connections.get_n_items () == 1);
  assert (caller.connections.get_item (0) == connection);
  var flags = MessageFlags.UNORDERED | MessageFlags.UNRELIABLE;
  assert (yield connection.send_message_full_async (
      new Bytes ("hello".data), flags, TimeSpan.MINUTE));
  yield settle ();

  Error? reason = new IOError.FAILED ("not told");
  connection.closed.connect ((error) => reason = error);
  yield connection.close_async ();
  yield settle ();
  assert (reason == null);
  yield callee.close_async ();
  yield settle ();
  assert (callee.log == " resolved 10240 bytes 5 bytes closed");
  assert (caller.log == " resolved 14 bytes 14 bytes closed");
  assert (server.log == " +wq somebody→wq -wq");
  yield caller.close_async ();
  server.stop ();
}

async void test_errors () throws Error {
  var server = new Server ();
  server.start ();
  var caller = new Peer (null, server.at ());
  var codes = "";
  try {
    yield caller.connect_async ("nobody");
  } catch (PunchError.UNKNOWN_ID e) {
    assert (e.message != "");
    codes += "unknown ";
  }
  try {
    yield caller.send_message_async ("two\nlines", ten_kib ());
  } catch (PunchError e) {
    assert (e is PunchError.INVALID_TARGET);
    codes += "target ";
  }
  var cancellable = new Cancellable ();
  cancellable.cancel ();
  try {
    yield caller.connect_async ("nobody", cancellable);
  } catch (IOError.CANCELLED e) {
    codes += "cancelled ";
  }
  try {
    Identity.load ("/nowhere/at/all");
  } catch (FileError.NOENT e) {
    codes += "file";
  }
  assert (codes == "unknown target cancelled file");
  yield caller.close_async ();
  server.stop ();
}

async void test_authorization () throws Error {
  var server = new Server ();
  server.start ();
  var callee = new Peer ("wq", server.at ());
  var allowed = false;
  callee.authorize_peer.connect ((authorization) => {
    assert (authorization.wanted_id == "wq");
    Timeout.add (20, () => {
      if (allowed)
        authorization.allow ();
      else
        authorization.deny ();
      return Source.REMOVE;
    });
  });
  yield callee.start_async ();
  var caller = new Peer ("sk", server.at ());
  var refused = false;
  try {
    yield caller.connect_async ("wq");
  } catch (PunchError.UNKNOWN_ID e) {
    refused = true;
  }
  assert (refused);
  allowed = true;
  yield caller.connect_async ("wq");
  assert (server.log.has_suffix (" sk→wq"));
  yield caller.close_async ();
  yield callee.close_async ();
  server.stop ();
}

async void test_registry () throws Error {
  Registry registry = new Slow ();
  var fingerprint = new Identity ().fingerprint;
  var holder = yield registry.claim_async ("wq", fingerprint, 60, false);
  assert (holder.fingerprint == fingerprint);
  Registration? found = yield registry.lookup_async ("wq");
  assert (found != null && found.id == "wq");
  assert (yield registry.release_async ("wq", fingerprint));
  found = yield registry.lookup_async ("wq");
  assert (found == null);
  assert (((Slow) registry).holders.length == 0);
  assert (registry.get_server_name () == null);
  try {
    yield registry.post_async ("north", new Bytes ("hello".data));
    assert_not_reached ();
  } catch (IOError.NOT_SUPPORTED error) {
  }
}

// A peer that is closed, and dropped, in a handler of its own
async void test_close_in_handler () throws Error {
  var server = new Server ();
  server.start ();
  var callee = new Node ("wq", server);
  callee.message_received.connect_after ((connection, message) => {
    callee.close_async.begin ();
  });
  yield callee.start_async ();
  var caller = new Node (null, server);
  try {
    yield caller.send_message_async ("wq", ten_kib ());
  } catch (IOError.CLOSED e) {
    // The callee may have left before it said that it has got it.
  }
  yield settle ();
  assert (callee.log == " resolved 10240 bytes closed");
  assert (caller.log.has_suffix (" closed"));
  yield caller.close_async ();
  server.stop ();
}

async void test_stream () throws Error {
  var server = new Server ();
  server.start ();
  var callee = new Node ("wq", server);
  yield callee.start_async ();
  var caller = new Node (null, server);
  Connection connection = yield caller.connect_async ("wq");
  HolePunch.Stream stream = yield connection.open_stream_async ();
  assert (stream.connection == connection);
  stream.weight = 32;
  assert (stream.weight == 32);
  size_t n;
  yield stream.output_stream.write_all_async (ten_kib ().get_data (),
                                              Priority.DEFAULT, null, out n);
  assert (n == 10 * 1024);
  yield stream.output_stream.close_async ();
  var answer = new MemoryOutputStream.resizable ();
  yield answer.splice_async (stream.input_stream,
                             OutputStreamSpliceFlags.CLOSE_TARGET);
  assert (answer.steal_as_bytes ().compare (ten_kib ()) == 0);
  yield stream.close_async ();
  yield connection.close_async ();
  try {
    yield connection.open_stream_async ();
    assert_not_reached ();
  } catch (IOError.CLOSED e) {
  }
  yield settle ();
  assert (callee.log == " resolved stream closed");
  yield callee.close_async ();
  yield caller.close_async ();
  server.stop ();
}

async void run () throws Error {
  yield test_messages ();
  print ("ok messages\n");
  yield test_errors ();
  print ("ok errors\n");
  yield test_authorization ();
  print ("ok authorization\n");
  yield test_registry ();
  print ("ok registry\n");
  yield test_stream ();
  print ("ok stream\n");
  yield test_close_in_handler ();
  print ("ok close in handler\n");
}

void test_settings () {
  var peer = new Peer (null, null) {
    stun_servers = "a.example:3479",
    turn_servers = "turn:me:secret@192.0.2.1",
    relay_policy = RelayPolicy.RELAY_ONLY,
    port_mapping = false
  };
  assert (peer.stun_servers == "a.example:3479");
  assert (peer.turn_servers == "turn:me:secret@192.0.2.1");
  assert (peer.relay_policy == RelayPolicy.RELAY_ONLY);
  assert (!peer.port_mapping && peer.nat == null);
  assert (peer.network_report == null);

  var server = new MatchServer (0) {
    second_port = 4223,
    second_address = "127.0.0.2",
    turn_servers = { "turn:192.0.2.1", "turn:192.0.2.2" },
    turn_secret = "abracadabra",
    turn_lifetime = 600
  };
  assert (server.second_port == 4223 && server.turn_servers.length == 2);
  assert (server.second_address == "127.0.0.2" && server.turn_lifetime == 600);
}

int main () {
  var loop = new MainLoop ();
  var status = 1;

  test_settings ();
  print ("ok settings\n");
  run.begin ((object, result) => {
    try {
      run.end (result);
      status = 0;
    } catch (Error e) {
      printerr ("%s %d: %s\n", e.domain.to_string (), e.code, e.message);
    }
    loop.quit ();
  });
  loop.run ();
  return status;
}
