// A connection to a server that goes on when this machine gets another address (Wi-Fi to Wi-Fi, cable to Wi-Fi).
//
// Chromium binds the sockets of a page that may use the camera to the addresses that the machine has then, and tells
// such a page of another address after 1.5 s (Windows) or 2 s (Linux).  A page that may not use it gets sockets without
// an address, which send from whichever the machine has at the moment (RFC 8828, sections 5.2 and 6.1), and tells nobody the
// machine's own addresses.  So the connection is made in a hidden frame without that permission.

// Where the echo canceller hears all that the browser plays; elsewhere only what is played by the page that listens.
const SYSTEMS = ["Linux", "Windows", "macOS"];

let frame = null; // one for all connections of the page

function able() {
  const {brands = [], platform} = navigator.userAgentData ?? {};
  return SYSTEMS.includes(platform) && brands.some(({brand}) => brand === "Chromium");
}

/** An RTCPeerConnection to a server that follows its clients; other browsers get a plain one. */
export function roaming(config) {
  if (!able()) return new RTCPeerConnection(config);
  if (!frame?.isConnected) {
    frame = Object.assign(document.createElement("iframe"), {hidden: true, allow: "camera 'none'; microphone 'none'"});
    document.body.append(frame);
  }
  return new frame.contentWindow.RTCPeerConnection(config);
}
