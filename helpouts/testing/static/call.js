// A page of the conformance tests: enters the room with the transport's real module and remembers what it is told.

import {connect} from "/transport.js";
import * as kit from "/kit.js";

window.states = [];
window.tracks = {};
window.peers = [];

const Native = RTCPeerConnection;
window.RTCPeerConnection = class extends Native { constructor(...all) { super(...all); peers.push(this); } };

let socket, media, present = false;

/** Into the room. */
window.enter = async (who) => {
  socket = new WebSocket(`ws://${location.host}/ws/${who}`);
  await new Promise((resolve) => { socket.onopen = resolve; });
  media = await navigator.mediaDevices.getUserMedia({audio: true, video: {width: 640, height: 480}});
  await again(who);
  socket.send(JSON.stringify({ready: true}));
};

/** Connect, for the first time or with a new grant after a failure. */
window.again = async (who) => {
  const signal = {send: (message) => socket.send(JSON.stringify({signal: message})), onmessage: null};
  const config = await (await fetch(`/grant/${who}`)).json();
  const connection = window.connection = await connect({
    config, signal, kit,
    onState: (state) => states.push(state),
    onTrack: (kind, track) => {
      tracks[kind] = Boolean(track);
      document.getElementById(kind).srcObject = track ? new MediaStream([track]) : null;
    },
  });
  socket.onmessage = ({data}) => {
    const message = JSON.parse(data);
    if ("present" in message) connection.peerPresent(present = message.present);
    else signal.onmessage(message.signal);
  };
  connection.publish({audio: media.getAudioTracks()[0], video: media.getVideoTracks()[0]});
  if (present) connection.peerPresent(true);
};

window.share = () => {
  const canvas = Object.assign(document.createElement("canvas"), {width: 320, height: 200});
  const context = canvas.getContext("2d");
  setInterval(() => { context.fillStyle = `hsl(${Date.now() % 360} 80% 50%)`; context.fillRect(0, 0, 320, 200); }, 50);
  return connection.replaceTrack("screen", canvas.captureStream(20).getVideoTracks()[0]);
};

/** Off, on and off again at once: what is sent in the end (null is right). */
window.hurry = async () => {
  const camera = () => peers.flatMap((peer) => peer.getSenders()).find(({track}) => track?.kind === "video");
  const sender = camera(), {track} = sender;
  connection.replaceTrack("video", null);
  connection.replaceTrack("video", track);
  await connection.replaceTrack("video", null);
  return sender.track;
};

/** Video packets that the other side has repeated. */
window.repaired = async () => [...(await peers.at(-1).getStats()).values()]
  .filter((entry) => entry.type === "inbound-rtp" && entry.kind === "video")
  .reduce((sum, entry) => sum + (entry.retransmittedPacketsReceived || 0), 0);
