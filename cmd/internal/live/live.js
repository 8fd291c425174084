"use strict";
// The server tells what is new; the buttons tell the server.
const live = document.getElementById("live");
const bar = document.getElementById("bar");
const now = document.getElementById("now");
const pause = document.getElementById("pause");
const stop = document.getElementById("stop");
const here = document.getElementById("here"); // leads to the network that is trained now
const connection = document.getElementById("connection");
const main = document.querySelector("main");
let paused = false;
let title = document.title;

// The token is in a cookie by now, and not for everybody who sees the screen.
history.replaceState(null, "", location.pathname + location.hash);

function say(text) { connection.textContent = text; }

let events;
function connect() {
  events = new EventSource("/events");
  events.onopen = () => say("");
  events.onerror = () => {
    say("No connection to the training; trying again.");
    if (events.readyState === EventSource.CLOSED) { // it was refused, and does not try again itself
      setTimeout(connect, 1000);
    }
  };
  events.addEventListener("now", (event) => {
    const state = JSON.parse(event.data);
    bar.value = state.share;
    now.textContent = (state.paused ? "Paused. " : "") + state.text;
    paused = state.paused;
    live.classList.toggle("paused", paused);
    pause.textContent = paused ? "Go on" : "Pause";
    pause.disabled = state.ended || state.stopping;
    stop.disabled = state.ended || state.stopping;
    if (state.stopping && !state.ended) {
      say("Stopping after this step, and saving.");
    }
    document.title = (paused ? "Paused" : Math.floor(100 * state.share) + "%") + " · " + title;
    if (state.ended) {
      document.title = title;
      say("The training has ended, and this page with it: what you see stays until you close or reload it. The folder of the run has it as report.html.");
      events.close();
    }
  });
  events.addEventListener("order", (event) => keepPlace(() => order(JSON.parse(event.data))));
  events.addEventListener("section", (event) => {
    const section = JSON.parse(event.data);
    const fresh = new DOMParser().parseFromString(section.HTML, "text/html").body.firstElementChild;
    const old = document.getElementById(section.ID);
    if (fresh && old) {
      keepPlace(() => become(old, document.adoptNode(fresh)));
      if (section.ID === "top") {
        title = old.querySelector("h1").textContent;
      }
    }
  });
}
connect();

// order makes the sections of the page those with the given ids.
function order(ids) {
  for (const section of [...main.children]) {
    if (!ids.includes(section.id)) {
      section.remove();
    }
  }
  const newest = ids.findLast((id) => id.startsWith("net-"));
  here.hidden = !newest;
  here.href = "#" + newest;
  ids.forEach((id, i) => {
    let section = document.getElementById(id);
    if (!section) {
      section = document.createElement("section");
      section.id = id;
    }
    if (main.children[i] !== section) {
      main.insertBefore(section, main.children[i] || null);
    }
  });
}

// become changes an element into another where they differ, so that what is the same stays: a
// picture that is shown, a slider that was moved, what is scrolled or selected.
function become(old, fresh) {
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && name !== "style") { // only scripts set style
      old.removeAttribute(name);
    }
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value) {
      old.setAttribute(name, value);
    }
  }
  const wanted = [...fresh.childNodes];
  wanted.forEach((node, i) => {
    const there = old.childNodes[i];
    if (!there) {
      old.append(node);
    } else if (there.nodeName !== node.nodeName) {
      there.replaceWith(node);
    } else if (node.nodeType === Node.ELEMENT_NODE) {
      become(there, node);
    } else if (there.data !== node.data) {
      there.data = node.data;
    }
  });
  while (old.childNodes.length > wanted.length) {
    old.lastChild.remove();
  }
}

// keepPlace has a change not move what somebody looks at: the first thing that ends below the
// middle of the window.
function keepPlace(change) {
  let seen = scrollY > 0 ? main : null;
  for (let inner = seen; inner; ) {
    seen = inner;
    inner = seen.nodeName === "svg" ? null : [...seen.children].find((e) => e.getBoundingClientRect().bottom > innerHeight / 2);
  }
  const place = seen && seen.getBoundingClientRect().top;
  change();
  if (seen && seen.isConnected) {
    scrollBy({ top: seen.getBoundingClientRect().top - place, behavior: "instant" });
  }
}

async function post(path) {
  try {
    if ((await fetch(path, { method: "POST" })).ok) {
      return true;
    }
  } catch { // the server is gone
  }
  say("The training did not hear that.");
  return false;
}
pause.addEventListener("click", () => post(paused ? "/resume" : "/pause"));
stop.addEventListener("click", async () => {
  stop.disabled = true;
  if (!await post("/stop")) {
    stop.disabled = false;
  }
});
