"use strict";
// The server tells what is new; the buttons tell the server.
const bar = document.getElementById("bar");
const now = document.getElementById("now");
const pause = document.getElementById("pause");
const stop = document.getElementById("stop");
const connection = document.getElementById("connection");
let paused = false;

const events = new EventSource("/events");

events.addEventListener("now", (event) => {
  const state = JSON.parse(event.data);
  bar.value = state.share;
  now.textContent = (state.paused ? "Paused. " : "") + state.text;
  paused = state.paused;
  pause.textContent = paused ? "Go on" : "Pause";
  if (state.ended) {
    pause.disabled = stop.disabled = true;
    connection.textContent = "The training has ended; this page stays as it is.";
    events.close();
  }
});

events.addEventListener("section", (event) => {
  const section = JSON.parse(event.data);
  const old = document.getElementById(section.ID);
  const fresh = new DOMParser().parseFromString(section.HTML, "text/html").body.firstElementChild;
  if (old && fresh) {
    old.replaceWith(document.adoptNode(fresh));
  }
});

events.onopen = () => { connection.textContent = ""; };
events.onerror = () => { connection.textContent = "No connection to the training; trying again."; };

function post(path) {
  fetch(path, { method: "POST" }).catch(() => { connection.textContent = "No connection to the training."; });
}
pause.addEventListener("click", () => post(paused ? "/resume" : "/pause"));
stop.addEventListener("click", () => {
  stop.disabled = true;
  post("/stop");
});
