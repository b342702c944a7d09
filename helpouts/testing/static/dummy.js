// A transport without media: it says that it is connected and shows nothing.

export async function connect({onState}) {
  const connection = {
    publish() {},
    async replaceTrack() {},
    peerPresent() {},
    async statistics() { return {}; },
    async restart() {},
    close() { onState("closed"); },
  };
  setTimeout(() => onState("connected"));
  return connection;
}
