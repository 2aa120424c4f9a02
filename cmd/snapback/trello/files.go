package trello

import (
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/snapback-io/snapback/domain"
)

// mapFiles adds the attachments of every card that was carried over, in the
// order the card shows them.
func (m *mapping) mapFiles() {
	for i := range m.x.Cards {
		c := &m.x.Cards[i]
		if m.kinds[c.ID] != domain.KindCard {
			if len(c.Attachments) > 0 {
				note(&m.report.Left, "attachments of cards that were left out", len(c.Attachments), c.Name)
			}
			continue
		}
		attachments := slices.Clone(c.Attachments)
		slices.SortStableFunc(attachments, byPos(func(a Attachment) float64 { return a.Pos }))
		taken := map[string]bool{}
		for _, a := range attachments {
			m.mapFile(c, a, taken)
		}
	}
}

func (m *mapping) mapFile(c *Card, a Attachment, taken map[string]bool) {
	link := strings.TrimSpace(a.URL)
	if !isLink(link, "http", "https") {
		m.report.left("attachments whose link is not http or https, or longer than 2,048 characters", a.Name)
		return
	}
	name := m.fileName(a, link)
	free := freeName(name, taken)
	if free != name {
		m.report.changed("files renamed because the card has one of that name", free)
	}
	at := a.Date
	if at.IsZero() {
		at = idTime(a.ID)
	}
	e := &domain.Entity{ID: a.ID, Kind: domain.KindFile, Fields: domain.Fields{"name": free, "cardId": c.ID, "url": link}}
	if !m.add(e, at, m.people.user(a.IDMember)) {
		return
	}
	taken[foldName(free)] = true
	if a.IsUpload {
		m.report.left("contents of uploaded attachments (they stay at Trello, the links are kept)", free)
	}
}

// fileName is a valid name of at most 255 bytes for an attachment.
func (m *mapping) fileName(a Attachment, link string) string {
	var name string
	for _, candidate := range []string{a.Name, a.FileName, lastSegment(link), "attachment"} {
		if name = m.line("file names", candidate, maxTitle); name != "" {
			break
		}
	}
	clean := strings.NewReplacer("/", "_", `\`, "_").Replace(name)
	if clean == "." || clean == ".." {
		clean = strings.Repeat("_", len(clean))
	}
	if clean != name {
		m.report.changed(`file names with / or \ (now _)`, name)
	}
	if len(clean) > maxFileName {
		m.report.changed("file names cut to 255 bytes", name)
		stem, extension := splitName(clean)
		clean = strings.TrimSpace(cutBytes(stem, maxFileName-len(extension))) + extension
	}
	return clean
}

func lastSegment(link string) string {
	u, err := url.Parse(link)
	if err != nil || path.Base(u.Path) == "/" || path.Base(u.Path) == "." {
		return ""
	}
	return path.Base(u.Path)
}

// freeName is name, or name with " (2)", " (3)", … before its extension.
func freeName(name string, taken map[string]bool) string {
	free := name
	for n := 2; taken[foldName(free)]; n++ {
		stem, extension := splitName(name)
		suffix := fmt.Sprintf(" (%d)", n) + extension
		free = strings.TrimSpace(cutBytes(stem, maxFileName-len(suffix))) + suffix
	}
	return free
}

// splitName cuts a name before its extension, which is at most 32 bytes long.
func splitName(name string) (stem, extension string) {
	i := strings.LastIndexByte(name, '.')
	if i <= 0 || len(name)-i > 32 {
		return name, ""
	}
	return name[:i], name[i:]
}

// foldName gives the form in which two names are the same.
func foldName(name string) string { return cases.Fold().String(norm.NFC.String(name)) }
