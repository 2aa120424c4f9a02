package trello

import (
	"encoding/json"
	"time"
)

// Export is what an export says of a board. The fields are named as Trello
// names them; what no field here holds is counted in Rest.
type Export struct {
	ID               string    `json:"id"`
	Name             string    `json:"name"`
	Desc             string    `json:"desc"`
	Closed           bool      `json:"closed"`
	IDMemberCreator  string    `json:"idMemberCreator"`
	DateLastActivity time.Time `json:"dateLastActivity"`
	Prefs            struct {
		Comments        string `json:"comments"`
		PermissionLevel string `json:"permissionLevel"`
		Background      string `json:"background"`
	} `json:"prefs"`

	Lists        []List        `json:"-"`
	Cards        []Card        `json:"-"`
	Labels       []Label       `json:"-"`
	Members      []Member      `json:"-"`
	Memberships  []Membership  `json:"-"`
	Checklists   []Checklist   `json:"-"`
	CustomFields []CustomField `json:"-"`
	Actions      []Action      `json:"-"`
	Aside        []PluginData  `json:"-"` // Snapback's own

	// Rest counts what was met and is read by nobody, by "object.key".
	Rest map[string]int `json:"-"`
}

// List is a column.
type List struct {
	ID        string  `json:"id"`
	Name      string  `json:"name"`
	Closed    bool    `json:"closed"`
	Pos       float64 `json:"pos"`
	SoftLimit *int64  `json:"softLimit"`
	Color     string  `json:"color"`
}

// Label has a name, a colour, both, or neither.
type Label struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Color string `json:"color"`
}

// Member is a person on the board.
type Member struct {
	ID        string `json:"id"`
	Username  string `json:"username"`
	FullName  string `json:"fullName"`
	AvatarURL string `json:"avatarUrl"`
}

// Membership says what a Member may do.
type Membership struct {
	IDMember    string `json:"idMember"`
	MemberType  string `json:"memberType"`
	Unconfirmed bool   `json:"unconfirmed"`
	Deactivated bool   `json:"deactivated"`
}

// Card is a card with what the export nests in it.
type Card struct {
	ID               string    `json:"id"`
	IDShort          int64     `json:"idShort"`
	Name             string    `json:"name"`
	Desc             string    `json:"desc"`
	Closed           bool      `json:"closed"`
	IDList           string    `json:"idList"`
	Pos              float64   `json:"pos"`
	IDLabels         []string  `json:"idLabels"`
	IDMembers        []string  `json:"idMembers"`
	IDMembersVoted   []string  `json:"idMembersVoted"`
	IDMemberCreator  string    `json:"idMemberCreator"`
	Due              string    `json:"due"`
	Start            string    `json:"start"`
	DueComplete      bool      `json:"dueComplete"`
	DateLastActivity time.Time `json:"dateLastActivity"`
	Badges           struct {
		Comments int `json:"comments"`
		Votes    int `json:"votes"`
	} `json:"badges"`
	Cover struct {
		IDAttachment         string `json:"idAttachment"`
		Color                string `json:"color"`
		IDUploadedBackground string `json:"idUploadedBackground"`
		SharedSourceURL      string `json:"sharedSourceUrl"`
	} `json:"cover"`
	Address          string            `json:"address"`
	LocationName     string            `json:"locationName"`
	Coordinates      json.RawMessage   `json:"coordinates"`
	Attachments      []Attachment      `json:"attachments"`
	CustomFieldItems []CustomFieldItem `json:"customFieldItems"`
}

// Attachment is a link; the bytes of an upload stay at Trello.
type Attachment struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	FileName string    `json:"fileName"`
	URL      string    `json:"url"`
	Pos      float64   `json:"pos"`
	IsUpload bool      `json:"isUpload"`
	IDMember string    `json:"idMember"`
	Date     time.Time `json:"date"`
}

// CustomFieldItem is a card's value of a CustomField.
type CustomFieldItem struct {
	IDCustomField string `json:"idCustomField"`
	IDValue       string `json:"idValue"`
	Value         struct {
		Text    loose `json:"text"`
		Number  loose `json:"number"`
		Date    loose `json:"date"`
		Checked loose `json:"checked"`
	} `json:"value"`
}

// loose is a JSON string, or the text of any other JSON value; null is "".
type loose string

func (l *loose) UnmarshalJSON(data []byte) error {
	var s *string
	if json.Unmarshal(data, &s) != nil {
		*l = loose(data)
	} else if s != nil {
		*l = loose(*s)
	}
	return nil
}

// CustomField is a field the board's people made up.
type CustomField struct {
	ID      string  `json:"id"`
	Name    string  `json:"name"`
	Type    string  `json:"type"` // checkbox, date, list, number, text
	Pos     float64 `json:"pos"`
	Options []struct {
		ID    string `json:"id"`
		Color string `json:"color"`
		Value struct {
			Text string `json:"text"`
		} `json:"value"`
	} `json:"options"`
}

// Checklist is on the card IDCard.
type Checklist struct {
	ID         string      `json:"id"`
	Name       string      `json:"name"`
	IDCard     string      `json:"idCard"`
	Pos        float64     `json:"pos"`
	CheckItems []CheckItem `json:"checkItems"`
}

// CheckItem is a line of a Checklist.
type CheckItem struct {
	ID       string  `json:"id"`
	Name     string  `json:"name"`
	Pos      float64 `json:"pos"`
	State    string  `json:"state"` // complete, incomplete
	Due      string  `json:"due"`
	IDMember string  `json:"idMember"`
}

// Action is one entry of the board's history; an export has the last 1,000.
type Action struct {
	ID              string    `json:"id"`
	Type            string    `json:"type"`
	Date            time.Time `json:"date"`
	IDMemberCreator string    `json:"idMemberCreator"`
	MemberCreator   Member    `json:"memberCreator"`
	Member          Member    `json:"member"`
	Data            struct {
		Text           string    `json:"text"`
		DateLastEdited time.Time `json:"dateLastEdited"`
		Card           struct {
			ID          string `json:"id"`
			DueComplete *bool  `json:"dueComplete"`
		} `json:"card"`
		List      struct{ ID string } `json:"list"`
		Checklist struct{ ID string } `json:"checklist"`
		CheckItem struct {
			ID    string `json:"id"`
			State string `json:"state"`
		} `json:"checkItem"`
		Old map[string]json.RawMessage `json:"old"`
	} `json:"data"`

	Raw json.RawMessage `json:"-"` // as it stands in the export, compact
}

// ActionLimit is how many actions Trello puts in an export at most.
const ActionLimit = 1000
