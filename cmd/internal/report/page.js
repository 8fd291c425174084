"use strict";
document.documentElement.classList.add("js"); // shows what works with it alone

// A click on a picture enlarges it.
const dialog = document.getElementById("enlarged");
document.addEventListener("click", (event) => {
  const figure = event.target.closest("figure.picture");
  if (figure && !figure.closest(".slider") && dialog.showModal) {
    dialog.querySelector("p").textContent = figure.dataset.title;
    dialog.querySelector("div").replaceChildren(figure.querySelector("svg").cloneNode(true));
    dialog.showModal();
  } else if (event.target === dialog) {
    dialog.close();
  }
});

// The slider shows more of the prediction or of bicubic interpolation.
document.addEventListener("input", (event) => {
  const slider = event.target.closest(".slider");
  if (slider) {
    slider.style.setProperty("--at", event.target.value + "%");
  }
});
