// Runs before the page is painted: the chosen theme and the site's colours as last seen.
(() => {
  try {
    const root = document.documentElement;
    const theme = localStorage.getItem('cygnet-theme');
    if (theme === 'light' || theme === 'dark') root.dataset.theme = theme;
    const colours = JSON.parse(localStorage.getItem('cygnet-colours') || '{}');
    for (const [name, value] of Object.entries(colours)) {
      if (/^--site-[a-z-]+$/.test(name) && /^#[0-9a-f]{6}$/.test(value)) root.style.setProperty(name, value);
    }
  } catch { /* storage is switched off: the system's theme and our own colours */ }
})();
