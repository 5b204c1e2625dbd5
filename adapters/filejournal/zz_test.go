package filejournal_test
import ("testing";"github.com/changeover-go/changeover/adapters/filejournal";"github.com/changeover-go/changeover/migration/journal")
func BenchmarkZ(b *testing.B){
 s,_:=filejournal.Open(b.TempDir()+"/s",unsynced)
 var es []journal.Entry; for i:=range 512 {es=append(es,step(uint64(i+1)))}
 last:=uint64(0)
 for b.Loop(){ for i:=range es {es[i].Seq=last+uint64(i)+1}; if err:=s.Append(b.Context(),last,es...);err!=nil{b.Fatal(err)}; last+=512}
 b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/512,"ns/entry")
}
