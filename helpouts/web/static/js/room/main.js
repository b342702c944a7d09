// The room page: device check, then the call.  Each part is set up with the room and minds its own business.

import {Room} from "./room.js";
import {setUpCall} from "./tools/call.js";
import {setUpBoard} from "./tools/board.js";
import {setUpChat} from "./tools/chat.js";
import {setUpCheck} from "./tools/check.js";
import {setUpDevices} from "./tools/devices.js";
import {setUpExtending} from "./tools/extend.js";
import {setUpFiles} from "./tools/files.js";
import {setUpKeys} from "./tools/keys.js";
import {setUpNotes} from "./tools/notes.js";
import {setUpQuality} from "./tools/quality.js";
import {setUpRecording} from "./tools/recording.js";
import {setUpScreen} from "./tools/screen.js";
import {setUpSoundOnly} from "./tools/sound_only.js";
import {setUpSupport} from "./tools/support.js";
import {setUpView} from "./tools/view.js";
import {setUpWaiting} from "./tools/waiting.js";

const settings = JSON.parse(document.getElementById("room-settings").textContent);
const room = new Room(document.getElementById("room"), settings);
const parts = [
  setUpChat, setUpFiles, setUpNotes, setUpExtending, setUpBoard, setUpRecording, setUpSupport, setUpDevices, setUpCall, setUpScreen, setUpSoundOnly,
  setUpQuality, setUpView, setUpWaiting, setUpKeys,
  setUpCheck, // the last, since it begins
];
for (const setUp of parts) setUp(room);
