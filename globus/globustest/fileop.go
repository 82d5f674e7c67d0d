package globustest

import (
	"errors"
	"net/http"
)

// mkdir creates a directory, whose parent must exist.
func (e *Emulator) mkdir(r *http.Request, g grant) (any, error) {
	var body struct{ Path string }
	if err := e.readBody(r, "mkdir", &body, "path", "local_user"); err != nil {
		return nil, err
	}
	p, err := e.enter(r, segment(r, ListPath), g, making)
	if err != nil {
		return nil, err
	}
	at, ok := p.absolute(body.Path)
	if !ok {
		return nil, invalidPath(r)
	}
	if p.isClosed(at) || p.ReadOnly {
		return nil, making.failed(r, p, "PermissionDenied", "Permission denied")
	}
	if err := p.files().mkdir(at, e.now()); err != nil {
		return nil, making.refuse(r, p, err)
	}
	return result(r, "mkdir_result", "DirectoryCreated", "The directory was created successfully"), nil
}

// rename moves a file or a directory within its collection.
func (e *Emulator) rename(r *http.Request, g grant) (any, error) {
	var body struct {
		OldPath string `json:"old_path"`
		NewPath string `json:"new_path"`
	}
	if err := e.readBody(r, "rename", &body, "old_path", "new_path", "local_user"); err != nil {
		return nil, err
	}
	p, err := e.enter(r, segment(r, ListPath), g, renaming)
	if err != nil {
		return nil, err
	}
	from, ok := p.absolute(body.OldPath)
	to, ok2 := p.absolute(body.NewPath)
	if !ok || !ok2 {
		return nil, invalidPath(r)
	}
	if p.isClosed(from) || p.isClosed(to) || p.ReadOnly {
		return nil, renaming.failed(r, p, "PermissionDenied", "Permission denied")
	}
	if err := p.files().rename(from, to, e.now()); err != nil {
		return nil, renaming.refuse(r, p, err)
	}
	return result(r, "result", "FileRenamed", "File or directory renamed successfully"), nil
}

func invalidPath(r *http.Request) *refusal {
	return transferRefusal(r, http.StatusBadRequest, "InvalidPath", "A path begins with / or ~/")
}

// refuse turns an error of a file system into a response. Of its codes, Globus is known to
// send NotFound, and Exists for mkdir.
func (op operation) refuse(r *http.Request, p *place, err error) *refusal {
	switch {
	case errors.Is(err, errMissing), errors.Is(err, errNoDir):
		return transferRefusal(r, http.StatusNotFound, "NotFound", "Path not found, Error\nEndpoint: "+p.Name+"\nMessage: "+err.Error())
	case errors.Is(err, errExists):
		return op.failed(r, p, "Exists", "Path already exists")
	}
	return transferRefusal(r, http.StatusBadGateway, "EndpointError", "Error\nEndpoint: "+p.Name+"\nMessage: "+err.Error())
}
