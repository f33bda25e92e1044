// Runs before the page is painted: the chosen theme, and the site's colour as last seen.
try {
	const root = document.documentElement;
	root.dataset.theme = localStorage.getItem('cygnet-theme') ?? '';
	root.style.setProperty('--site', localStorage.getItem('cygnet-accent') ?? '');
} catch {
	// Storage is switched off: the system's theme and our own colour.
}
