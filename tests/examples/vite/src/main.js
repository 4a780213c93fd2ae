import "./style.css";

document.querySelector("#app").textContent = `Built by Vite at ${location.pathname}`;
