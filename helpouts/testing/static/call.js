// A page of the conformance tests: enters the room with the transport's real module and remembers what it is told.

import * as transport from "/transport.js";
import * as lent from "/kit.js";

const kit = window.kit = {...lent, roaming: (config) => remembered(lent.roaming(config))};
window.states = [];
window.tracks = {};
window.peers = [];

const Native = RTCPeerConnection;
window.RTCPeerConnection = class extends Native { constructor(...all) { remembered(super(...all)); } };

function remembered(peer) {
  if (!peers.includes(peer)) peers.push(peer);
  return peer;
}

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
  const connection = window.connection = await transport.connect({
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

/** The rate that the encoder aims at, of the sender that aims highest, in kb/s. */
window.target = async () => {
  const all = await Promise.all(peers.map((peer) => peer.getStats()));
  return Math.max(0, ...all.flatMap((found) => [...found.values()]).map((entry) => entry.targetBitrate || 0)) / 1000;
};

/** The network tried alone, as the device check does. */
window.check = async (abort) => {
  const {config} = await (await fetch("/check")).json();
  return config && transport.check ? transport.check({config, kit, abort}) : null;
};

/** Say a tone into the left ear only. */
window.left = () => {
  const context = new AudioContext(), tone = context.createOscillator(), merger = context.createChannelMerger(2);
  const out = new MediaStreamAudioDestinationNode(context, {channelCount: 2});
  tone.connect(merger, 0, 0).connect(out);
  tone.start();
  return connection.replaceTrack("audio", out.stream.getAudioTracks()[0]);
};

/** How loud it is in the left ear and in the right. */
window.sides = async () => {
  const context = new AudioContext(), splitter = context.createChannelSplitter(2);
  context.createMediaStreamSource(document.getElementById("audio").srcObject).connect(splitter);
  const ears = [0, 1].map((side) => {
    const ear = context.createAnalyser();
    splitter.connect(ear, side);
    return ear;
  });
  await new Promise((resolve) => setTimeout(resolve, 300));
  const loud = ears.map((ear) => {
    const samples = new Float32Array(ear.fftSize);
    ear.getFloatTimeDomainData(samples);
    return Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / samples.length);
  });
  await context.close();
  return loud;
};

/** The encodings of what is sent of a kind. */
window.encodings = (kind) => peers.flatMap((peer) => peer.getSenders())
  .filter(({track}) => track?.kind === kind).flatMap((sender) => sender.getParameters().encodings);
