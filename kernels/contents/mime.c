/* MIME types by file name: Python's mimetypes (types_map, suffix_map, encodings_map) and what
 * JupyterLab's file types need beyond it. */
#include "kernels/contents/contents.h"

#include "base/mem.h"

#include <string.h>
#include <strings.h>

static const struct {
	const char *ext, *type;
} types[] = {
	{ "3g2", "audio/3gpp2" },
	{ "3gp", "audio/3gpp" },
	{ "3gpp", "audio/3gpp" },
	{ "3gpp2", "audio/3gpp2" },
	{ "7z", "application/x-7z-compressed" },
	{ "a", "application/octet-stream" },
	{ "aac", "audio/aac" },
	{ "adts", "audio/aac" },
	{ "ai", "application/postscript" },
	{ "aif", "audio/x-aiff" },
	{ "aifc", "audio/x-aiff" },
	{ "aiff", "audio/x-aiff" },
	{ "ass", "audio/aac" },
	{ "au", "audio/basic" },
	{ "avi", "video/x-msvideo" },
	{ "avif", "image/avif" },
	{ "bat", "text/plain" },
	{ "bcpio", "application/x-bcpio" },
	{ "bib", "text/x-bibtex" },
	{ "bin", "application/octet-stream" },
	{ "bmp", "image/bmp" },
	{ "c", "text/plain" },
	{ "c++", "text/x-c++src" },
	{ "cc", "text/x-c++src" },
	{ "cdf", "application/x-netcdf" },
	{ "cpio", "application/x-cpio" },
	{ "cpp", "text/x-c++src" },
	{ "csh", "application/x-csh" },
	{ "css", "text/css" },
	{ "csv", "text/csv" },
	{ "dll", "application/octet-stream" },
	{ "doc", "application/msword" },
	{ "docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document" },
	{ "dot", "application/msword" },
	{ "dvi", "application/x-dvi" },
	{ "eml", "message/rfc822" },
	{ "eot", "application/vnd.ms-fontobject" },
	{ "eps", "application/postscript" },
	{ "epub", "application/epub+zip" },
	{ "etx", "text/x-setext" },
	{ "exe", "application/octet-stream" },
	{ "geojson", "application/geo+json" },
	{ "gif", "image/gif" },
	{ "gtar", "application/x-gtar" },
	{ "h", "text/plain" },
	{ "h5", "application/x-hdf5" },
	{ "hdf", "application/x-hdf" },
	{ "heic", "image/heic" },
	{ "heif", "image/heif" },
	{ "hpp", "text/x-c++hdr" },
	{ "htm", "text/html" },
	{ "html", "text/html" },
	{ "ico", "image/vnd.microsoft.icon" },
	{ "ics", "text/calendar" },
	{ "ief", "image/ief" },
	{ "jar", "application/java-archive" },
	{ "java", "text/x-java" },
	{ "jpe", "image/jpeg" },
	{ "jpeg", "image/jpeg" },
	{ "jpg", "image/jpeg" },
	{ "js", "text/javascript" },
	{ "json", "application/json" },
	{ "jsonld", "application/ld+json" },
	{ "ksh", "text/plain" },
	{ "latex", "application/x-latex" },
	{ "loas", "audio/aac" },
	{ "m1v", "video/mpeg" },
	{ "m3u", "application/vnd.apple.mpegurl" },
	{ "m3u8", "application/vnd.apple.mpegurl" },
	{ "m4a", "audio/mp4" },
	{ "man", "application/x-troff-man" },
	{ "markdown", "text/markdown" },
	{ "md", "text/markdown" },
	{ "me", "application/x-troff-me" },
	{ "mht", "message/rfc822" },
	{ "mhtml", "message/rfc822" },
	{ "mid", "audio/midi" },
	{ "mif", "application/x-mif" },
	{ "mjs", "text/javascript" },
	{ "mov", "video/quicktime" },
	{ "movie", "video/x-sgi-movie" },
	{ "mp2", "audio/mpeg" },
	{ "mp3", "audio/mpeg" },
	{ "mp4", "video/mp4" },
	{ "mpa", "video/mpeg" },
	{ "mpe", "video/mpeg" },
	{ "mpeg", "video/mpeg" },
	{ "mpg", "video/mpeg" },
	{ "ms", "application/x-troff-ms" },
	{ "n3", "text/n3" },
	{ "nc", "application/x-netcdf" },
	{ "nq", "application/n-quads" },
	{ "nt", "application/n-triples" },
	{ "nws", "message/rfc822" },
	{ "o", "application/octet-stream" },
	{ "obj", "application/octet-stream" },
	{ "oda", "application/oda" },
	{ "odp", "application/vnd.oasis.opendocument.presentation" },
	{ "ods", "application/vnd.oasis.opendocument.spreadsheet" },
	{ "odt", "application/vnd.oasis.opendocument.text" },
	{ "oga", "audio/ogg" },
	{ "ogg", "audio/ogg" },
	{ "ogv", "video/ogg" },
	{ "opus", "audio/opus" },
	{ "otf", "font/otf" },
	{ "p12", "application/x-pkcs12" },
	{ "p7c", "application/pkcs7-mime" },
	{ "pbm", "image/x-portable-bitmap" },
	{ "pdf", "application/pdf" },
	{ "pfx", "application/x-pkcs12" },
	{ "pgm", "image/x-portable-graymap" },
	{ "pl", "text/plain" },
	{ "png", "image/png" },
	{ "pnm", "image/x-portable-anymap" },
	{ "pot", "application/vnd.ms-powerpoint" },
	{ "ppa", "application/vnd.ms-powerpoint" },
	{ "ppm", "image/x-portable-pixmap" },
	{ "pps", "application/vnd.ms-powerpoint" },
	{ "ppt", "application/vnd.ms-powerpoint" },
	{ "pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation" },
	{ "ps", "application/postscript" },
	{ "pwz", "application/vnd.ms-powerpoint" },
	{ "py", "text/x-python" },
	{ "pyc", "application/x-python-code" },
	{ "pyo", "application/x-python-code" },
	{ "qt", "video/quicktime" },
	{ "ra", "audio/x-pn-realaudio" },
	{ "ram", "application/x-pn-realaudio" },
	{ "rar", "application/vnd.rar" },
	{ "ras", "image/x-cmu-raster" },
	{ "rdf", "application/xml" },
	{ "rgb", "image/x-rgb" },
	{ "roff", "application/x-troff" },
	{ "rst", "text/x-rst" },
	{ "rtf", "application/rtf" },
	{ "rtx", "text/richtext" },
	{ "sgm", "text/x-sgml" },
	{ "sgml", "text/x-sgml" },
	{ "sh", "application/x-sh" },
	{ "shar", "application/x-shar" },
	{ "snd", "audio/basic" },
	{ "so", "application/octet-stream" },
	{ "sql", "application/sql" },
	{ "src", "application/x-wais-source" },
	{ "srt", "text/plain" },
	{ "sv4cpio", "application/x-sv4cpio" },
	{ "sv4crc", "application/x-sv4crc" },
	{ "svg", "image/svg+xml" },
	{ "swf", "application/x-shockwave-flash" },
	{ "t", "application/x-troff" },
	{ "tar", "application/x-tar" },
	{ "tcl", "application/x-tcl" },
	{ "tex", "application/x-tex" },
	{ "texi", "application/x-texinfo" },
	{ "texinfo", "application/x-texinfo" },
	{ "tif", "image/tiff" },
	{ "tiff", "image/tiff" },
	{ "toml", "application/toml" },
	{ "tr", "application/x-troff" },
	{ "trig", "application/trig" },
	{ "tsv", "text/tab-separated-values" },
	{ "ttf", "font/ttf" },
	{ "txt", "text/plain" },
	{ "ustar", "application/x-ustar" },
	{ "vcf", "text/x-vcard" },
	{ "vtt", "text/vtt" },
	{ "wasm", "application/wasm" },
	{ "wav", "audio/x-wav" },
	{ "weba", "audio/webm" },
	{ "webm", "video/webm" },
	{ "webmanifest", "application/manifest+json" },
	{ "webp", "image/webp" },
	{ "wiz", "application/msword" },
	{ "woff", "font/woff" },
	{ "woff2", "font/woff2" },
	{ "wsdl", "application/xml" },
	{ "xbm", "image/x-xbitmap" },
	{ "xhtml", "application/xhtml+xml" },
	{ "xlb", "application/vnd.ms-excel" },
	{ "xls", "application/vnd.ms-excel" },
	{ "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" },
	{ "xml", "text/xml" },
	{ "xpdl", "application/xml" },
	{ "xpm", "image/x-xpixmap" },
	{ "xsl", "application/xml" },
	{ "xwd", "image/x-xwindowdump" },
	{ "yaml", "application/yaml" },
	{ "yml", "application/yaml" },
	{ "zip", "application/zip" },
};

/* Suffixes that stand for a compressed tar; and suffixes of a compression, with a type before them.
 */
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

/* The part after the last dot; empty when there is none, or nothing before it. */
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
