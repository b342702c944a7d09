// The room page: device check, then the call.  Each part is set up with the room and minds its own business.

import {Room} from "./room.js";
import {setUpCall} from "./tools/call.js";
import {setUpBoard} from "./tools/board.js";
import {setUpChat} from "./tools/chat.js";
import {setUpExtending} from "./tools/extend.js";
import {setUpFiles} from "./tools/files.js";
import {setUpNotes} from "./tools/notes.js";

const settings = JSON.parse(document.getElementById("room-settings").textContent);
const room = new Room(document.getElementById("room"), settings);
for (const setUp of [setUpChat, setUpFiles, setUpNotes, setUpExtending, setUpBoard, setUpCall]) setUp(room);
