// The room page: device check, then the call.  Each part is set up with the room and minds its own business.

import {Room} from "./room.js";
import {setUpCall} from "./tools/call.js";
import {setUpChat} from "./tools/chat.js";

const settings = JSON.parse(document.getElementById("room-settings").textContent);
const room = new Room(document.getElementById("room"), settings);
for (const setUp of [setUpChat, setUpCall]) setUp(room);
