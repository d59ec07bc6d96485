// Dark or light, set before anything is drawn: not a module, since those run late.

(() => {
  const wanted = matchMedia("(prefers-color-scheme: dark)");
  const system = () => (wanted.matches ? "dark" : "light");
  const apply = () => {
    document.documentElement.dataset.theme = localStorage.getItem("theme") ?? system();
  };
  wanted.addEventListener("change", apply);
  document.addEventListener("click", (event) => {
    if (!event.target.closest("#theme")) return;
    const next = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    if (next === system()) localStorage.removeItem("theme");
    else localStorage.setItem("theme", next);
    apply();
  });
  apply();
})();
