"""Documents to test with, written byte by byte."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

from sayso.knowledge.bounds import ReadLimits
from sayso.knowledge.formats import Reader, Source
from sayso.knowledge.passages import Page

WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_RELATIONS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/'
    'relationships/officeDocument" Target="{target}"/></Relationships>'
)


def source_of(data: bytes, name: str = "it", limits: ReadLimits | None = None) -> Source:
    return Source(io.BytesIO(data), name, limits or ReadLimits())


def read_bytes(reader: Reader, data: bytes, name: str = "it") -> list[Page]:
    """What `reader` makes of `data`, in this process."""
    return list(reader(source_of(data, name)))


def texts(pages: Sequence[Page]) -> list[tuple[str, str]]:
    return [(page.title, page.text) for page in pages]


# PDF ------------------------------------------------------------------------------------------


def pdf_objects(objects: Sequence[bytes], root: int) -> bytes:
    """A PDF of numbered objects, the first being 1, with the catalogue `root`."""
    out, places = bytearray(b"%PDF-1.7\n"), []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer << /Size %d /Root %d 0 R >>\n" % (len(objects) + 1, root)
    return bytes(out + b"startxref\n%d\n%%%%EOF\n" % table)


_FONT = b"/Font << /F1 1 0 R >>"


def stream(body: bytes, *, packed: bool = True) -> bytes:
    kind = b" /Filter /FlateDecode" if packed else b""
    body = zlib.compress(body, 9) if packed else body
    return b"<< /Length %d%s >>\nstream\n%s\nendstream" % (len(body), kind, body)


def pdf_of(pages: Sequence[Sequence[str]]) -> bytes:
    """A PDF with these lines on its pages."""
    return pdf_with([stream(_drawn(lines)) for lines in pages])


def _drawn(lines: Sequence[str]) -> bytes:
    said = (
        line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)").encode("latin-1")
        for line in lines
    )
    return b"BT /F1 11 Tf 60 780 Td 14 TL\n" + b"".join(b"(%s) Tj T*\n" % s for s in said) + b"ET"


def pdf_with(contents: Sequence[bytes], resources: bytes = _FONT) -> bytes:
    """A PDF with a page for each content stream."""
    objects = [b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    tree = 2 + 2 * len(contents)
    kids = []
    for content in contents:
        objects.append(content)
        objects.append(
            b"<< /Type /Page /Parent %d 0 R /MediaBox [0 0 595 842] /Contents %d 0 R "
            b"/Resources << %s >> >>" % (tree, len(objects), resources)
        )
        kids.append(b"%d 0 R" % len(objects))
    objects.append(b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(kids), b" ".join(kids)))
    objects.append(b"<< /Type /Catalog /Pages %d 0 R >>" % tree)
    return pdf_objects(objects, root=len(objects))


# Word -----------------------------------------------------------------------------------------


def zip_of(parts: Mapping[str, str | bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in parts.items():
            archive.writestr(name, body)
    return out.getvalue()


def paragraph(text: str, properties: str = "") -> str:
    return f"<w:p><w:pPr>{properties}</w:pPr><w:r><w:t>{escape(text)}</w:t></w:r></w:p>"


def heading(text: str, style: str = "Heading1") -> str:
    return paragraph(text, f'<w:pStyle w:val="{style}"/>')


def table(rows: Sequence[Sequence[str]], properties: str = "") -> str:
    made = "".join(
        "<w:tr>"
        + (properties if at == 0 else "")
        + "".join(f"<w:tc>{paragraph(cell)}</w:tc>" for cell in row)
        + "</w:tr>"
        for at, row in enumerate(rows)
    )
    return f"<w:tbl><w:tblPr/>{made}</w:tbl>"


STYLES = (
    f'<w:styles xmlns:w="{WORD}">'
    '<w:style w:styleId="Heading1"><w:name w:val="heading 1"/></w:style>'
    '<w:style w:styleId="berschrift2"><w:name w:val="Heading 2"/></w:style>'
    '<w:style w:styleId="Title"><w:name w:val="Title"/></w:style>'
    '<w:style w:styleId="Mine"><w:name w:val="mine"/><w:basedOn w:val="Heading1"/></w:style>'
    '<w:style w:styleId="Level3"><w:name w:val="x"/><w:pPr><w:outlineLvl w:val="2"/></w:pPr>'
    "</w:style>"
    '<w:style w:styleId="Loop"><w:name w:val="l"/><w:basedOn w:val="Loop"/></w:style>'
    "</w:styles>"
)


def docx_of(body: str, main: str = "word/document.xml", before: str = "") -> bytes:
    """A Word document with this body; `before` stands before its first tag."""
    document = f'{before}<w:document xmlns:w="{WORD}"><w:body>{body}</w:body></w:document>'
    return zip_of(
        {
            "[Content_Types].xml": "<Types/>",
            "_rels/.rels": _RELATIONS.format(target=main),
            main: document,
            f"{main.rpartition('/')[0]}/styles.xml": STYLES,
        }
    )
