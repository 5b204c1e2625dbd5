package filejournal
import ("testing";"os";"time";"context";"encoding/json";"bytes";"fmt"
"github.com/changeover-go/changeover/migration/journal")
func sample(i int) journal.Entry {
	e := journal.Entry{Seq: uint64(i), Epoch:1, Time: time.Date(2026,1,2,3,4,5,123456789,time.UTC), Kind: journal.Intent, Env: fmt.Sprint("env-",i%100), Table:"migration/move", Leg:"move", State:"BackedUp", Effect:"upload", ID:"0123456789abcdef01234567", Attempt:1}
	if i%2==0 { e.Kind=journal.Outcome; e.Trigger="uploaded"; e.To="Uploaded"; e.Facts=json.RawMessage(`{"fetched":{"digest":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef","role":"target","serial":"AAA-BBB-CCC-DDD-EEE-FFF-GGG-HHH"},"targetSent":true}`) }
	return e
}
func TestZ(t *testing.T){
 dir:=t.TempDir()+"/s"
 s,err:=Open(dir,nil); if err!=nil{t.Fatal(err)}
 s.Append(context.Background(),0,journal.Entry{Seq:1,Epoch:1,Kind:journal.Opened,Opened:&journal.Opening{Format:1,Run:"r"}})
 s.Append(context.Background(),1,sample(2))
 _,err=Open(dir,nil); t.Log(err)
 for _,f:=range []string{"journal.jsonl","HEAD","LOCK"}{b,_:=os.ReadFile(dir+"/"+f); t.Logf("\n%s",b)}
}
func BenchmarkPass(b *testing.B){
 var buf bytes.Buffer
 h,prev:=header(); buf.Write(h)
 for i:=1;i<=100000;i++{ e:=sample(i); l,_:=appendEntry(nil,&e); l,prev=link(l,0,prev); buf.Write(l)}
 m:=mark{Seq:0}; _,m.Hash=header(); _ = m
 b.SetBytes(int64(buf.Len())); b.ReportAllocs()
 for b.Loop(){ p,err:=readThrough(bytes.NewReader(buf.Bytes()),parseHead(mark{100000,1,prev}.slot()),func(journal.Entry)error{return nil}); if err!=nil||p.last.Seq!=100000{b.Fatal(err)}}
 b.ReportMetric(float64(b.N)*100000/b.Elapsed().Seconds(),"entries/s")
}
func BenchmarkEncode(b *testing.B){
 e:=sample(2); var buf []byte; b.ReportAllocs()
 for b.Loop(){ buf,_=appendEntry(buf[:0],&e)}
}
func BenchmarkEncodeStd(b *testing.B){
 e:=sample(2);  b.ReportAllocs()
 for b.Loop(){ json.Marshal(&e)}
}
