/* MIME types by file name: Python's mimetypes (types_map, suffix_map, encodings_map) and what
 * JupyterLab's file types need beyond it. */
#include "kernels/contents/contents.h"

#include "base/mem.h"

#include <string.h>
#include <strings.h>

static const struct {
	const char *ext, *type;
} types[] = {
	{ "3gp", "audio/3gpp" },
	{ "7z", "application/x-7z-compressed" },
	{ "aac", "audio/aac" },
	{ "ai", "application/postscript" },
	{ "aif", "audio/x-aiff" },
	{ "aiff", "audio/x-aiff" },
	{ "avi", "video/x-msvideo" },
	{ "avif", "image/avif" },
	{ "bat", "text/plain" },
	{ "bib", "text/x-bibtex" },
	{ "bin", "application/octet-stream" },
	{ "bmp", "image/bmp" },
	{ "c", "text/plain" },
	{ "c++", "text/x-c++src" },
	{ "cc", "text/x-c++src" },
	{ "cpp", "text/x-c++src" },
	{ "css", "text/css" },
	{ "csv", "text/csv" },
	{ "dll", "application/octet-stream" },
	{ "doc", "application/msword" },
	{ "docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document" },
	{ "eot", "application/vnd.ms-fontobject" },
	{ "eps", "application/postscript" },
	{ "epub", "application/epub+zip" },
	{ "exe", "application/octet-stream" },
	{ "geojson", "application/geo+json" },
	{ "gif", "image/gif" },
	{ "h", "text/plain" },
	{ "h5", "application/x-hdf5" },
	{ "hdf", "application/x-hdf" },
	{ "hpp", "text/x-c++hdr" },
	{ "htm", "text/html" },
	{ "html", "text/html" },
	{ "ico", "image/vnd.microsoft.icon" },
	{ "ics", "text/calendar" },
	{ "jar", "application/java-archive" },
	{ "java", "text/x-java" },
	{ "jpeg", "image/jpeg" },
	{ "jpg", "image/jpeg" },
	{ "js", "text/javascript" },
	{ "json", "application/json" },
	{ "jsonld", "application/ld+json" },
	{ "ksh", "text/plain" },
	{ "latex", "application/x-latex" },
	{ "m3u8", "application/vnd.apple.mpegurl" },
	{ "m4a", "audio/mp4" },
	{ "markdown", "text/markdown" },
	{ "md", "text/markdown" },
	{ "mid", "audio/midi" },
	{ "mjs", "text/javascript" },
	{ "mov", "video/quicktime" },
	{ "mp3", "audio/mpeg" },
	{ "mp4", "video/mp4" },
	{ "mpeg", "video/mpeg" },
	{ "nc", "application/x-netcdf" },
	{ "o", "application/octet-stream" },
	{ "odp", "application/vnd.oasis.opendocument.presentation" },
	{ "ods", "application/vnd.oasis.opendocument.spreadsheet" },
	{ "odt", "application/vnd.oasis.opendocument.text" },
	{ "oga", "audio/ogg" },
	{ "ogg", "audio/ogg" },
	{ "ogv", "video/ogg" },
	{ "otf", "font/otf" },
	{ "pdf", "application/pdf" },
	{ "pl", "text/plain" },
	{ "png", "image/png" },
	{ "ppt", "application/vnd.ms-powerpoint" },
	{ "pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation" },
	{ "ps", "application/postscript" },
	{ "py", "text/x-python" },
	{ "pyc", "application/x-python-code" },
	{ "rar", "application/vnd.rar" },
	{ "rst", "text/x-rst" },
	{ "rtf", "application/rtf" },
	{ "sh", "application/x-sh" },
	{ "so", "application/octet-stream" },
	{ "sql", "application/sql" },
	{ "srt", "text/plain" },
	{ "svg", "image/svg+xml" },
	{ "tar", "application/x-tar" },
	{ "tex", "application/x-tex" },
	{ "tif", "image/tiff" },
	{ "tiff", "image/tiff" },
	{ "toml", "application/toml" },
	{ "tsv", "text/tab-separated-values" },
	{ "ttf", "font/ttf" },
	{ "txt", "text/plain" },
	{ "wasm", "application/wasm" },
	{ "wav", "audio/x-wav" },
	{ "weba", "audio/webm" },
	{ "webm", "video/webm" },
	{ "webp", "image/webp" },
	{ "woff", "font/woff" },
	{ "woff2", "font/woff2" },
	{ "xhtml", "application/xhtml+xml" },
	{ "xls", "application/vnd.ms-excel" },
	{ "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" },
	{ "xml", "text/xml" },
	{ "yaml", "application/yaml" },
	{ "yml", "application/yaml" },
	{ "zip", "application/zip" },
};

/* Names of a compressed tar in one suffix; and what hides another type below it. */
static const char *const tars[] = { "tgz", "taz", "tz", "tbz2", "txz" };
static const char *const encodings[] = { "gz", "Z", "bz2", "xz", "br" };

static const char *type_of(struct cyg_str ext)
{
	size_t low = 0, high = CYG_N(types);
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int r = strncasecmp(ext.p, types[mid].ext, ext.len);
		if (r == 0 && types[mid].ext[ext.len] != '\0')
			r = -1;
		if (r == 0)
			return types[mid].type;
		if (r < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

/* The part behind the last dot; empty when there is none, or nothing before it. */
static struct cyg_str ext_of(struct cyg_str name)
{
	for (size_t i = name.len; i > 1; i--)
		if (name.p[i - 1] == '.')
			return cyg_str_skip(name, i);
	return CYG_STR("");
}

static bool is_in(struct cyg_str ext, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (cyg_str_eq(ext, list[i]))
			return true;
	return false;
}

const char *contents_mime_of(const char *name)
{
	const char *slash = strrchr(name, '/');
	struct cyg_str s = cyg_str_of(slash != NULL ? slash + 1 : name);
	struct cyg_str ext = ext_of(s);
	if (ext.len == 0)
		return NULL;
	if (cyg_str_case_eq(ext, "svgz"))
		return "image/svg+xml";
	if (is_in(ext, tars, CYG_N(tars)))
		return "application/x-tar";
	if (is_in(ext, encodings, CYG_N(encodings)))
		ext = ext_of(cyg_str_sub(s, 0, s.len - ext.len - 1));
	return type_of(ext);
}
