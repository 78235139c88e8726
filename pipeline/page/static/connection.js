// The WebSocket: messages with bytes behind them, and a new connection whenever one is lost.
// The layout of a message is told in messages.py.

const RETRY = 1000; // ms
const TOLD = { // why the server closes a connection, in its numbers
  4000: "The page and its server don't understand each other: load the page anew.",
  4001: "As many tabs as can be are open: close another one, and load this page anew.",
  1009: "That file is too large.",
};

export class Connection {
  constructor({ message, open, lost }) {
    Object.assign(this, { message, opened: open, lost });
    this.connect();
  }

  get ready() {
    return this.socket.readyState === WebSocket.OPEN;
  }

  send(content, data) {
    if (!this.ready) return false;
    const text = JSON.stringify(content);
    if (!data) {
      this.socket.send(text);
      return true;
    }
    const head = new TextEncoder().encode(text);
    const length = new DataView(new ArrayBuffer(4));
    length.setUint32(0, head.length);
    this.socket.send(new Blob([length.buffer, head, data]));
    return true;
  }

  connect() {
    const address = new URL("session" + location.search, location.href);
    address.protocol = "ws:";
    this.socket = new WebSocket(address);
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => this.opened();
    this.socket.onmessage = ({ data }) => this.receive(data);
    this.socket.onclose = async ({ code }) => {
      if (code === 4000 || code === 4001) return this.lost(TOLD[code]);
      this.lost(TOLD[code] ?? await reason());
      setTimeout(() => this.connect(), RETRY);
    };
  }

  receive(data) {
    if (typeof data === "string") return this.message(JSON.parse(data));
    const end = 4 + new DataView(data).getUint32(0);
    const content = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, end - 4)));
    this.message(content, new Blob([new Uint8Array(data, end)]));
  }
}

async function reason() {
  try {
    const answer = await fetch(location.href);
    if (answer.status === 403) return "The address is out of date: open the one that `photodrag serve` printed.";
  } catch { /* nobody answers */ }
  return "The server does not answer. Start `photodrag serve` again, and this page goes on by itself.";
}
